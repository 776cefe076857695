/** What a topology file refers to beside it: files of a host, folders with a Dockerfile. */

export interface ReferencedFiles {
  /** What stands at a path, relative to the topology file; undefined for nothing that can be read. */
  find(path: string): ReferencedFile | undefined;
}

export interface ReferencedFile {
  readonly type: "file" | "folder";
  /** The whole path. */
  readonly path: string;
  readonly octets: number;
  readonly isExecutable: boolean;
}

/** For a topology that is no file: it refers to nothing. */
export const NO_FILES: ReferencedFiles = { find: () => undefined };
