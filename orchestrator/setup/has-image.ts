/** Whether the engine has an image. */

import { answered, type Engine, engineCall, engineStatus } from "../runtime/docker/engine.ts";

export async function hasImage({ docker }: Engine, name: string): Promise<boolean> {
  try {
    await answered(docker.getImage(name).inspect());
    return true;
  } catch (error) {
    if (engineStatus(error) === 404) return false;
    return engineCall(`find ${name}`, Promise.reject(error as Error));
  }
}
