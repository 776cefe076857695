/** `struct msghdr` of Linux, 64-bit: its length, and the offsets of its fields. */
export const MESSAGE_HEADER = {
  bytes: 56,
  nameAt: 0,
  nameLengthAt: 8,
  vectorsAt: 16,
  vectorCountAt: 24,
  controlAt: 32,
  controlLengthAt: 40,
} as const;
