/** The images that the containers of a lab are started from. */

import type { ProgramSpec } from "../../plan/plan.ts";
import { TestbedError } from "../../support/errors.ts";

/** What a program in a container is started from: an image by its name, or one built from a folder. */
type ImageSource = Exclude<ProgramSpec["source"], { readonly type: "machine" }>;

/** Found or built by the program that opens the runtime; each is called once per lab and more often. */
export interface LabImages {
  /** The image that nodes run, as id or name. */
  readonly node: () => Promise<string>;
  /** The image of a host's program. Throws `no-image` where the engine has none of this name. */
  readonly program: (host: string, source: ImageSource) => Promise<string>;
}

/** The image of a host. Throws `bad-topology` for a program of the machine, which no container has. */
export function imageOf(images: LabImages, host: string, source: ProgramSpec["source"]): Promise<string> {
  if (source.type !== "machine") return images.program(host, source);
  throw new TestbedError("bad-topology", `node ${host} runs a program of this machine, which no container has`, {
    hint: "give the host an `image` or `build`, or use --runtime netns",
  });
}
