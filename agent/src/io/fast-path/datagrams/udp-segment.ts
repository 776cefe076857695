/** The option of udp(7) that makes the kernel cut one payload into datagrams of equal length. */
export const SOL_UDP = 17;
export const UDP_SEGMENT = 103;
