/** Comprehension-required attributes (RFC 8489 section 14): what a receiver has to understand before it may act. */

import { attributeNumber, isComprehensionRequired, type StunAttributeType } from "./attributes.ts";
import type { StunMessage } from "./message.ts";

/**
 * Numbers of the comprehension-required attributes outside `understood`, in the order of the segment: what a 420 lists.
 * An attribute that the codec knows is not thereby one that its receiver acts on.
 */
export function notUnderstood(
  message: Pick<StunMessage, "attributes">,
  understood: ReadonlySet<StunAttributeType>,
): readonly number[] {
  return message.attributes
    .filter((attribute) => attribute.type === "unknown" || !understood.has(attribute.type))
    .map(attributeNumber)
    .filter(isComprehensionRequired);
}
