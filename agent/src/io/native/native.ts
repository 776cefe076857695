/** The few calls of the C library that Node has no words for, through koffi's addon, which lies beside the bundle. */

import { createRequire } from "node:module";
import type { LibraryHandle } from "koffi";

/** Loading the addon costs 1 ms (measured on Node 20 and 24), so it waits for the first use. */
let native: Native | undefined;

/**
 * Calls back when a descriptor is readable, with 0, or with a negative error number of libuv where it is in error: then
 * it is watched no more until `start`. koffi's own declaration knows nothing of that argument.
 */
type Poll = (fd: number, interest: { readonly readable: true }, callback: (status: number) => void) => Watch;

export interface Watch {
  start(interest: { readonly readable: true }, callback: (status: number) => void): void;
  close(): void;
}

interface Native {
  readonly poll: Poll;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly ioctl: (fd: number, request: number, argument: Uint8Array) => number;
  /** The same call for requests whose argument is the value itself. */
  readonly setIoctl: (fd: number, request: number, value: number) => number;
  readonly read: (fd: number, buffer: Uint8Array, length: number) => number;
  readonly write: (fd: number, buffer: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number;
  readonly sendmsg: (fd: number, message: Uint8Array, flags: number) => number;
  readonly recvmsg: (fd: number, message: Uint8Array, flags: number) => number;
  /** The number of messages that came; each fills its `struct mmsghdr`. */
  readonly recvmmsg: (fd: number, messages: Uint8Array, count: number, flags: number, timeout: null) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  /** `length` holds 32 bits: the room in `value` before, the octets filled after. */
  readonly getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array) => number;
  readonly timerfd_create: (clock: number, flags: number) => number;
  readonly timerfd_settime: (fd: number, flags: number, value: Uint8Array, old: null) => number;
  /** Its other two arguments are zero. */
  readonly prctl: (option: number, second: bigint, third: bigint) => number;
  /** `priority` is a `struct sched_param`: one int. */
  readonly sched_setscheduler: (pid: number, policy: number, priority: Int32Array) => number;
  readonly waitpid: (pid: number, status: null, options: number) => number;
  /** Number of the last error of this thread. */
  readonly errno: () => number;
  /** Where the octets of a buffer lie in memory; holds while the buffer is alive. */
  readonly addressOf: (buffer: Uint8Array) => bigint;
}

/** What the addon exports, as far as it is used here. */
interface KoffiAddon {
  readonly load: (path: null) => LibraryHandle;
  readonly errno: () => number;
  readonly address: (buffer: Uint8Array) => bigint;
  readonly node: { readonly poll: Poll };
}

/** The calls, bound on first use. Throws where the addon is missing or made for another machine. */
export function libc(): Native {
  native ??= bind(createRequire(import.meta.filename)("./koffi.node") as KoffiAddon);
  return native;
}

/** Calls that fail return -1 and leave `errno`; `int64_t` stands for ssize_t, which koffi does not know. */
function bind(koffi: KoffiAddon): Native {
  const library = koffi.load(null);
  // koffi's functions take and give what their C declaration says; the interface above repeats it for the compiler.
  return {
    poll: koffi.node.poll,
    socket: library.func("int socket(int domain, int type, int protocol)") as Native["socket"],
    ioctl: library.func("int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)") as Native["ioctl"],
    setIoctl: library.func("ioctl", "int", ["int", "unsigned long", "unsigned long"]) as Native["setIoctl"],
    read: library.func("int64_t read(int fd, _Out_ uint8_t *buffer, size_t length)") as Native["read"],
    write: library.func("int64_t write(int fd, uint8_t *buffer, size_t length)") as Native["write"],
    close: library.func("int close(int fd)") as Native["close"],
    bind: library.func("int bind(int fd, uint8_t *address, uint32_t length)") as Native["bind"],
    connect: library.func("int connect(int fd, uint8_t *address, uint32_t length)") as Native["connect"],
    getsockname: library.func(
      "int getsockname(int fd, _Inout_ uint8_t *address, _Inout_ uint8_t *length)",
    ) as Native["getsockname"],
    sendmsg: library.func("int64_t sendmsg(int fd, uint8_t *message, int flags)") as Native["sendmsg"],
    recvmsg: library.func("int64_t recvmsg(int fd, _Inout_ uint8_t *message, int flags)") as Native["recvmsg"],
    recvmmsg: library.func(
      "int recvmmsg(int fd, _Inout_ uint8_t *messages, uint32_t count, int flags, uint8_t *timeout)",
    ) as Native["recvmmsg"],
    setsockopt: library.func(
      "int setsockopt(int fd, int level, int option, uint8_t *value, uint32_t length)",
    ) as Native["setsockopt"],
    getsockopt: library.func(
      "int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint8_t *length)",
    ) as Native["getsockopt"],
    timerfd_create: library.func("int timerfd_create(int clock, int flags)") as Native["timerfd_create"],
    timerfd_settime: library.func(
      "int timerfd_settime(int fd, int flags, uint8_t *value, uint8_t *old)",
    ) as Native["timerfd_settime"],
    prctl: (
      (call: (...words: readonly unknown[]) => number): Native["prctl"] =>
      (option, second, third) =>
        call(option, second, third, 0, 0)
    )(library.func("int prctl(int option, unsigned long b, unsigned long c, unsigned long d, unsigned long e)")),
    sched_setscheduler: library.func(
      "int sched_setscheduler(int pid, int policy, int *priority)",
    ) as Native["sched_setscheduler"],
    waitpid: library.func("int waitpid(int pid, int *status, int options)") as Native["waitpid"],
    errno: koffi.errno,
    addressOf: koffi.address,
  };
}
