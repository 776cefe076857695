/** Calls of the C library that Node has no API for, through koffi's addon, which is beside the bundle. */

import { createRequire } from "node:module";
import type { LibraryHandle } from "koffi";

/** Loading the addon costs 1 ms (measured on Node 20 and 24), so it waits for the first use. */
let native: Native | undefined;

/**
 * Calls back with 0 when a descriptor is readable, or with a negative libuv error number when it is in error; in that
 * case it is no longer watched until `start`. koffi's declaration does not mention that argument.
 */
type Poll = (fd: number, interest: { readonly readable: true }, callback: (status: number) => void) => Watch;

export interface Watch {
  start(interest: { readonly readable: true }, callback: (status: number) => void): void;
  stop(): void;
  close(): void;
}

interface Native {
  readonly poll: Poll;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly ioctl: (fd: number, request: number, argument: Uint8Array) => number;
  /** The same call for requests whose argument is the value. */
  readonly setIoctl: (fd: number, request: number, value: number) => number;
  readonly read: (fd: number, buffer: Uint8Array, length: number) => number;
  readonly write: (fd: number, buffer: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number;
  readonly sendto: (
    fd: number,
    payload: Uint8Array,
    length: number,
    flags: number,
    name: Uint8Array,
    nameLength: number,
  ) => number;
  /** `nameLength` holds 32 bits: the size of `name` before, the octets filled after. */
  readonly recvfrom: (
    fd: number,
    memory: Uint8Array,
    length: number,
    flags: number,
    name: Uint8Array,
    nameLength: Uint8Array,
  ) => number;
  readonly sendmsg: (fd: number, message: Uint8Array, flags: number) => number;
  readonly recvmsg: (fd: number, message: Uint8Array, flags: number) => number;
  /** Returns the number of messages received; each fills its `struct mmsghdr`. */
  readonly recvmmsg: (fd: number, messages: Uint8Array, count: number, flags: number, timeout: null) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  /** The same call on another thread, for options on which the kernel blocks. Its error number is lost. */
  readonly setsockoptAside: (fd: number, level: number, option: number, value: Uint8Array) => Promise<number>;
  /** `length` holds 32 bits: the size of `value` before, the octets filled after. */
  readonly getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array) => number;
  /** Maps a file from its start, at any address; all bits set on failure. */
  readonly mmap: (length: number, protection: number, flags: number, fd: number) => bigint;
  readonly munmap: (address: bigint, length: number) => number;
  readonly timerfd_create: (clock: number, flags: number) => number;
  readonly timerfd_settime: (fd: number, flags: number, value: Uint8Array, old: null) => number;
  /** Fills a `struct timespec`. */
  readonly clock_gettime: (clock: number, time: Uint8Array) => number;
  readonly waitpid: (pid: number, status: null, options: number) => number;
  /** Number of the last error of this thread. */
  readonly errno: () => number;
  /** Address of a buffer's memory; valid while the buffer is in use. */
  readonly addressOf: (buffer: Uint8Array) => bigint;
  /** The memory at an address, which must stay mapped while the buffer is in use. */
  readonly memoryAt: (address: bigint, length: number) => ArrayBuffer;
}

/** The exports of the addon that are used here. */
interface KoffiAddon {
  readonly load: (path: null) => LibraryHandle;
  readonly errno: () => number;
  readonly address: (buffer: Uint8Array) => bigint;
  readonly view: (address: bigint, length: number) => ArrayBuffer;
  readonly node: { readonly poll: Poll };
}

/** The calls, bound on first use. Throws where the addon is missing or was built for another machine. */
export function libc(): Native {
  native ??= bind(createRequire(import.meta.filename)("./koffi.node") as KoffiAddon);
  return native;
}

/** Failed calls return -1 and set `errno`; `int64_t` is used for ssize_t, which koffi lacks. */
function bind(koffi: KoffiAddon): Native {
  const library = koffi.load(null);
  const setsockopt = library.func("int setsockopt(int fd, int level, int option, uint8_t *value, uint32_t length)");
  const mmap = library.func("mmap", "uintptr_t", ["uintptr_t", "size_t", "int", "int", "int", "int64_t"]);
  // koffi's functions take and return what their C declaration says; the interface above repeats it for the compiler.
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
    sendto: library.func(
      "int64_t sendto(int fd, uint8_t *payload, size_t length, int flags, uint8_t *name, uint32_t nameLength)",
    ) as Native["sendto"],
    recvfrom: library.func(
      "int64_t recvfrom(int fd, _Out_ uint8_t *memory, size_t length, int flags, _Out_ uint8_t *name, _Inout_ uint8_t *nameLength)",
    ) as Native["recvfrom"],
    sendmsg: library.func("int64_t sendmsg(int fd, uint8_t *message, int flags)") as Native["sendmsg"],
    recvmsg: library.func("int64_t recvmsg(int fd, _Inout_ uint8_t *message, int flags)") as Native["recvmsg"],
    recvmmsg: library.func(
      "int recvmmsg(int fd, _Inout_ uint8_t *messages, uint32_t count, int flags, uint8_t *timeout)",
    ) as Native["recvmmsg"],
    setsockopt: setsockopt as Native["setsockopt"],
    setsockoptAside: (fd, level, option, value) =>
      new Promise((resolve, reject) => {
        setsockopt.async(fd, level, option, value, value.length, (error: Error | null, result: number) => {
          if (error === null) resolve(result);
          else reject(error);
        });
      }),
    getsockopt: library.func(
      "int getsockopt(int fd, int level, int option, _Out_ uint8_t *value, _Inout_ uint8_t *length)",
    ) as Native["getsockopt"],
    mmap: (length, protection, flags, fd) => BigInt(mmap(0, length, protection, flags, fd, 0) as number | bigint),
    munmap: library.func("munmap", "int", ["uintptr_t", "size_t"]) as Native["munmap"],
    timerfd_create: library.func("int timerfd_create(int clock, int flags)") as Native["timerfd_create"],
    timerfd_settime: library.func(
      "int timerfd_settime(int fd, int flags, uint8_t *value, uint8_t *old)",
    ) as Native["timerfd_settime"],
    clock_gettime: library.func("int clock_gettime(int clock, _Out_ uint8_t *time)") as Native["clock_gettime"],
    waitpid: library.func("int waitpid(int pid, int *status, int options)") as Native["waitpid"],
    errno: koffi.errno,
    addressOf: koffi.address,
    memoryAt: koffi.view,
  };
}
