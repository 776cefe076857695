/** Name of the TUN device of a node. */
export const TUN_NAME = "tun0";
