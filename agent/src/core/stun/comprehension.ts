/** Comprehension-required attributes (RFC 8489 section 14): a receiver has to understand them before it may act. */

import { attributeNumber, isComprehensionRequired, type StunAttributeType } from "./attributes.ts";
import type { StunMessage } from "./message.ts";

/**
 * Numbers of the comprehension-required attributes outside `understood`, in message order: the list of a 420. A
 * receiver does not act on every attribute that the codec supports.
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
