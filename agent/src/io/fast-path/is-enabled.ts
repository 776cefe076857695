/** Set to `off`, this environment variable makes sockets and the TUN device move one packet a system call. */
const SWITCH = "MICE_FAST_PATH";

export function isFastPathEnabled(): boolean {
  return process.env[SWITCH] !== "off";
}
