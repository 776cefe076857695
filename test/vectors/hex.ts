/** Octets written as hexadecimal digits; blanks and line breaks are cosmetic. */
export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/\s/g, ""), "hex"));
}

/** The same octets as lower-case digits without blanks. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** The octets of text in UTF-8, such as the key that a password is. */
export function fromText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
