/** Environment variable; `off` makes sockets and the TUN device move one packet per system call. */
const SWITCH = "MICE_FAST_PATH";

export function isFastPathEnabled(): boolean {
  return process.env[SWITCH] !== "off";
}
