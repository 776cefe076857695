/**
 * The surroundings of a host's program, the same as in a container: its own hostname, processes, IPC objects, /dev,
 * /run, /tmp and home directory, the lab's names, no name server, no way to change the machine's files or kernel
 * parameters, and no rights but those that its file asks for. Pure: nothing here runs.
 *
 * The program's words (arguments and environment, which a topology file gives) come over the standard input of the last
 * shell, inside all of this. Nothing of them is shell text.
 */

import type { ProgramSpec } from "../../plan/plan.ts";

/** Directories that a program has of its own, empty and writable, and the machine's are hidden. */
const OWN_DIRECTORIES = ["/tmp", "/var/tmp", "/root", "/run"] as const;

/** Octets that a program may write to its own directories and /dev/shm together. */
const OWN_FILES_LIMIT = "512m";

/** Files of /proc that change the machine, besides /proc/sys. */
const MACHINE_CONTROLS = ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"] as const;

/** Mounts that get another one over them, as patterns of the shell. `ip netns exec` has done so for /sys. */
const REPLACED_MOUNTS = ["/sys/*", ...["/dev", "/proc", ...OWN_DIRECTORIES].flatMap((path) => [path, `${path}/*`])];

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"] as const;

/** What is defined for every program before its file's environment; a container of an engine has the same. */
export function hostEnvironment(name: string): Readonly<Record<string, string>> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOSTNAME: name, HOME: "/root" };
}

/** The one of a program's own directories that hides `path`; undefined if none does. */
export function hidingDirectory(path: string): string | undefined {
  return OWN_DIRECTORIES.find((directory) => path.startsWith(`${directory}/`));
}

/** A user of this machine, by numbers. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Runs a program in the network namespace of its node, in a room of its own, as `user` or root. Of its file, only what
 * is chosen from a list is in here.
 */
export function roomCommand({ inside, capabilities = [] }: ProgramSpec, user?: UserIds): readonly string[] {
  return [
    ...["ip", "netns", "exec", inside],
    ...["unshare", "--uts", "--ipc", "--pid", "--fork", "--kill-child=SIGKILL"],
    ...["sh", "-c", ROOM_SCRIPT, "host", inside],
    ...withoutRights(boundingSet(capabilities)),
    ...(user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"]),
    ...["--", "sh", "-c", PROGRAM_SCRIPT],
  ];
}

/** Labels by which a room is found while its program runs, and what may be done in it. */
export const PROGRAM_LABEL = "program";
export const RIGHTS_LABEL = "rights";

export function programLabels({ inside, capabilities = [] }: ProgramSpec): ReadonlyMap<string, string> {
  return new Map([
    [PROGRAM_LABEL, inside],
    [RIGHTS_LABEL, boundingSet(capabilities)],
  ]);
}

/** As setpriv(1) reads it. */
function boundingSet(capabilities: readonly string[]): string {
  return ["-all", ...capabilities.map((name) => `+${name.toLowerCase()}`)].join(",");
}

/** Runs the options and the command after it with no rights but those of the bounding set. */
export function withoutRights(bounding: string): readonly string[] {
  return ["setpriv", "--no-new-privs", "--inh-caps=-all", `--bounding-set=${bounding}`];
}

/** A program's words as `roomCommand` reads them from standard input, one a line. */
export function roomInput({ name, environment, workdir = "/", user }: ProgramSpec, command: readonly string[]): string {
  const home = user === undefined ? {} : { HOME: "/tmp" };
  const variables = Object.entries({ ...hostEnvironment(name), ...home, ...environment });
  const words = [
    `--chdir=${workdir}`,
    "--",
    ...variables.map(([key, value]) => `${key}=${value}`),
    // `env` would take a command's name with `=` for a variable.
    ...["/bin/sh", "-c", 'exec "$@"', name, ...command],
  ];
  return words.map((word) => `${escapeWord(word)}\n`).join("");
}

/** What is put into a room beside what is the same in all, as lines of `FURNITURE_FILE`: kind and path. */
export function furnitureOf({ files = [], writable = [], devices = [] }: ProgramSpec): string {
  return [
    ...files.map(({ path }) => `file ${path}`),
    ...writable.map((path) => `directory ${path}`),
    ...devices.map((path) => `device ${path}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** Where a program's furniture is unpacked, in the lab's /run. */
export function furnitureDirectory(name: string): string {
  return `/run/${name}.furniture`;
}

/** In that directory: the list, and the files with their paths. */
export const FURNITURE_FILE = "list";
export const FURNITURE_TREE = "files";

/**
 * `$1`: the node's name; what follows is the command to run.
 *
 * The machine's directories are read-only. One that gets a file, or may be written to, is covered by an overlay whose
 * changes end with the room; a path's letters are plain (`PATH_PATTERN` of the schema).
 *
 * What is mounted read-only keeps its other flags: in a user namespace the kernel refuses to drop one. `nosuid` makes
 * ping(8) do without the right that its file carries. The machine's mounts do not reach the room later on.
 */
const ROOM_SCRIPT = `
name=$1; own=/run/$name.host; furniture=${furnitureDirectory("$name")}; overlays=0
overlay() {
  overlays=$((overlays + 1)); top=$own/overlay/$overlays
  mkdir -p "$top/upper" "$top/work" && chmod --reference="$1" "$top/upper" || return 1
  mount -t overlay -o "nosuid,nodev,userxattr,lowerdir=$1,upperdir=$top/upper,workdir=$top/work" mice-host "$1"
}
place() {
  inside=$2; base=
  case $inside/ in ${OWN_DIRECTORIES.map((path) => `${path}/*`).join("|")}) base=$own ;; esac
  directory=$inside; [ "$1" = directory ] || directory=\${inside%/*}
  found=$directory
  while [ -n "$found" ] && [ ! -d "$base$found" ]; do found=\${found%/*}; done
  [ -n "$base$found" ] || { echo "$inside: expected a directory of this machine at its beginning" >&2; return 1; }
  [ -w "$base$found" ] || overlay "$found" || return 1
  mkdir -p "$base$directory" || return 1
  case $1 in
    directory) chmod 1777 "$base$directory" ;;
    file) cp "$furniture/${FURNITURE_TREE}$inside" "$base$inside" ;;
  esac
}
furnish() {
  while read -r kind inside; do
    case $kind in
      device) mkdir -p "$own\${inside%/*}" && : > "$own$inside" && echo "$inside $own$inside none bind" >> table ;;
      *) place "$kind" "$inside" ;;
    esac || return 1
  done
}
room() {
  hostname "$name" 2> /dev/null || echo "$name" > /proc/sys/kernel/hostname || return 1
  mount --make-rprivate / && mount -t proc proc /proc || return 1
  while read -r _ _ _ _ point flags _; do
    point=$(printf %b "$point")
    case $point in ${REPLACED_MOUNTS.join("|")}) continue ;; esac
    [ ! -e "$point" ] || mount -o "remount,bind,$flags,ro,nosuid,nodev" "$point" || return 1
  done < /proc/self/mountinfo
  mkdir "$own" && mount -t tmpfs -o mode=755,size=${OWN_FILES_LIMIT} mice-host "$own" || return 1
  cd "$own" && mkdir -p ${OWN_DIRECTORIES.map((path) => `.${path}`).join(" ")} dev/pts dev/shm || return 1
  chmod 1777 tmp var/tmp dev/shm && chmod 700 root && echo "$name" > hostname || return 1
  ln -s pts/ptmx dev/ptmx && ln -s /proc/self/fd dev/fd || return 1
  ln -s fd/0 dev/stdin && ln -s fd/1 dev/stdout && ln -s fd/2 dev/stderr || return 1
  for device in ${DEVICES.join(" ")}; do
    : > "dev/$device" && echo "/dev/$device $own/dev/$device none bind" || return 1
  done > table
  [ ! -e "$furniture" ] || furnish < "$furniture/${FURNITURE_FILE}" || return 1
  {
    echo "devpts $own/dev/pts devpts newinstance,ptmxmode=0666,mode=620"
    echo "$own/dev /dev none rbind"
    echo "/run/$name.hosts /etc/hosts none bind"
    echo "/run/$name.resolv.conf /etc/resolv.conf none bind"
    [ ! -e /etc/hostname ] || echo "$own/hostname /etc/hostname none bind"
    for path in ${MACHINE_CONTROLS.join(" ")}; do
      [ ! -e "$path" ] || echo "$path $path none bind,ro"
    done
    for path in ${OWN_DIRECTORIES.join(" ")}; do
      [ ! -d "$path" ] || echo "$own$path $path none bind"
    done
  } >> table
  mount --all --fstab table || return 1
  cd /
}
room || { echo "the testbed could not make the surroundings of $name" >&2; exit 125; }
shift
exec "$@"`;

/** Reads words as \`escapeWord\` writes them. The last character keeps the newlines before it. */
const PROGRAM_SCRIPT = `
while IFS= read -r word; do
  word=$(printf '%b.' "$word")
  set -- "$@" "\${word%.}"
done
exec env -i "$@"`;

/** Plain characters as they are, all other octets as \`printf %b\` reads them: a backslash, 0, and three octal digits. */
function escapeWord(word: string): string {
  return [...Buffer.from(word)]
    .map((octet) => {
      const character = String.fromCharCode(octet);
      return /[\w./:=@%+,-]/.test(character) ? character : `\\0${octet.toString(8).padStart(3, "0")}`;
    })
    .join("");
}
