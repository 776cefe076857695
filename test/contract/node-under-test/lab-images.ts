/** Images of a lab whose nodes run `node`, and whose hosts run the images that they name. */

import type { Engine } from "../../../orchestrator/runtime/docker/engine.ts";
import type { LabImages } from "../../../orchestrator/runtime/docker/lab-images.ts";
import { programImages } from "../../../orchestrator/setup/program-image.ts";

export function labImages(engine: Engine, node: string): LabImages {
  return {
    node: () => Promise.resolve(node),
    program: programImages(engine, () => undefined),
  };
}
