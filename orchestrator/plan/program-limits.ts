/** How much of the machine a host's program may take. */

export interface ProgramLimits {
  /** Processes and threads at once. */
  readonly processes: number;
  readonly memoryMiB: number;
}

/** For a file that says nothing: far more than a peer needs, far less than what stops the machine. */
export const PROGRAM_LIMITS: ProgramLimits = { processes: 1024, memoryMiB: 2048 };
