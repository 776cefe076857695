/** Names of container images, in the grammar of registries (distribution's reference.go). */

const PATH_COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const HOST_COMPONENT = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const HOST = `(?:${HOST_COMPONENT}(?:\\.${HOST_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const NAME = `(?:${HOST}/)?${PATH_COMPONENT}(?:/${PATH_COMPONENT})*`;
const TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}";
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

const IMAGE_PATTERN = new RegExp(`^${NAME}(?::${TAG})?(?:@${DIGEST})?$`);

/** Longer than a name of 255 characters with tag and digest. */
const LONGEST = 600;

/** What is wrong with the name of an image, or undefined: `expected …`. */
export function imageNameProblem(text: string): string | undefined {
  if (text.length <= LONGEST && IMAGE_PATTERN.test(text)) return undefined;
  return "expected the name of an image such as debian:12 or registry.example/team/image:tag, its path in lower case";
}
