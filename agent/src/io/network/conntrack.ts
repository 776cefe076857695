/** Connection tracking of this network namespace, over netlink: one call, where conntrack(8) takes 12 ms to start. */

import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;

/** Subsystem NFNL_SUBSYS_CTNETLINK, message IPCTNL_MSG_CT_DELETE; without a tuple it deletes every flow. */
const DELETE_FLOWS = (1 << 8) | 2;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLMSG_ERROR = 2;

/** `struct nlmsghdr` (16 octets), then `struct nfgenmsg` (4): any family, version 0, no resource. */
const MESSAGE_LENGTH = 20;
/** `struct nlmsghdr`, then the error as a negative number, 0 for success. */
const TYPE_OFFSET = 4;
const ERROR_OFFSET = 16;

/** Deletes every conntrack entry. Throws `setup-failed`. */
export function forgetFlows(): void {
  const { socket, write, read, close, errno } = libc();
  const fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  try {
    const request = Buffer.alloc(MESSAGE_LENGTH);
    request.writeUInt32LE(MESSAGE_LENGTH, 0);
    request.writeUInt16LE(DELETE_FLOWS, TYPE_OFFSET);
    request.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
    const answer = Buffer.alloc(256);
    // The kernel queues its answer before the write returns.
    if (write(fd, request, request.length) === -1 || read(fd, answer, answer.length) === -1) refuse(errno());
    if (answer.readUInt16LE(TYPE_OFFSET) === NLMSG_ERROR && answer.readInt32LE(ERROR_OFFSET) !== 0)
      refuse(-answer.readInt32LE(ERROR_OFFSET));
  } finally {
    close(fd);
  }
}

function refuse(code: number): never {
  throw new NodeFailure("setup-failed", `the kernel refused to flush connection tracking: errno ${code}`);
}
