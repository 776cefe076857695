/** The option of udp(7) that makes the kernel split one payload into datagrams of equal length. */
export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;
