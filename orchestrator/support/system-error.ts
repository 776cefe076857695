/** Errors of the operating system, and what a user can do about them. */

/** What to do, by the name of the error (errno). */
const CURES: Readonly<Record<string, string>> = {
  ENOSPC: "make room, or give a directory on another disk with --out",
  EDQUOT: "this user's quota is used up: remove files, or give a directory on another disk with --out",
  EMFILE: "let this process open more files: ulimit -n 1024",
  ENFILE: "this machine has too many files open: close some, or raise the sysctl fs.file-max",
  EAGAIN: "this user has too many processes: end some, or raise ulimit -u",
  ENOMEM: "this machine has too little memory: run fewer labs at once, or end other programs",
};

/** The name of the error, such as `ENOSPC`; empty for errors that do not come from the system. */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** What to do about an error of the system; undefined for those that say it themselves, and for all others. */
export function cureOf(error: unknown): string | undefined {
  return CURES[systemCode(error)];
}
