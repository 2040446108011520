#!/usr/bin/python3
"""A client of the container runtime interface (CRI), as the kubelet is one: a pod sandbox and two containers in it.

Usage: cri-client.py SOCKET IMAGE CGROUP_PARENT

It says each step and what came of it, and ends with 1 at the first that is not as it should be. It needs grpcio alone: the few
messages that it sends are written by the numbers of their fields in the CRI's api.proto, runtime.v1 (k8s.io/cri-api).
"""

import sys
import time

import grpc

SOCKET, IMAGE, PARENT = sys.argv[1:4]
HANDLER = "insula"  # what a RuntimeClass names
RUNNING = 1  # ContainerState.CONTAINER_RUNNING
MEMORY = 32 << 20


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def message(fields):
    """The wire form of {number: value}: an int, text, bytes, a message, or a list of those."""
    out = b""
    for number, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int):
                out += varint(number << 3) + varint(one)
                continue
            data = message(one) if isinstance(one, dict) else one.encode() if isinstance(one, str) else one
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def fields(data):
    """{number: last value} of a message; what has a length stays bytes."""
    found, at = {}, 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            found[key >> 3] = number()
        elif key & 7 == 2:
            length = number()
            found[key >> 3] = data[at : at + length]
            at += length
        else:
            sys.exit(f"a field of wire type {key & 7}, which no message here has")
    return found


channel = grpc.insecure_channel(f"unix://{SOCKET}")


def call(verb, request, timeout=60):
    method = channel.unary_unary(f"/runtime.v1.RuntimeService/{verb}", message, fields)
    return method(request, timeout=timeout, wait_for_ready=True)


def told(step, value, wanted=None):
    print(f"{step}: {value}", flush=True)
    if wanted is not None and value != wanted:
        sys.exit(f"{step}: wanted {wanted}")


def state(container):
    return fields(call("ContainerStatus", {1: container})[1])


def wait_for(container, wanted):
    for _ in range(200):
        if state(container).get(3, 0) == wanted:
            return True
        time.sleep(0.05)
    return False


def execute(container, *words):
    answer = call("ExecSync", {1: container, 2: list(words), 3: 20})
    return answer.get(1, b"").decode().strip(), answer.get(2, b"").decode().strip(), answer.get(3, 0)


def refused(step, verb, request):
    try:
        call(verb, request)
    except grpc.RpcError as error:
        told(step, error.code().name)
        return
    sys.exit(f"{step}: it was done")


def container(pod, sandbox, name, *words, resources=None):
    config = {
        1: {1: name},
        2: {1: IMAGE},
        3: list(words),
        6: [{1: "NAME", 2: name}],
        11: f"{name}.log",
        15: {1: resources or {}, 2: {11: 1}},
    }
    made = call("CreateContainer", {1: pod, 2: config, 3: sandbox})[1].decode()
    told(f"container {name}: state", state(made).get(3, 0), 0)
    call("StartContainer", {1: made})
    told(f"container {name}: running", wait_for(made, RUNNING), True)
    return made


def main():
    version = call("Version", {})
    told("version of the interface", version[4].decode())
    sandbox = {
        1: {1: "pod", 2: "uid-1", 3: "default"},
        2: "island",
        3: "/run/pod-logs",
        8: {1: f"/{PARENT}"},
    }
    pod = call("RunPodSandbox", {1: sandbox, 2: HANDLER})[1].decode()
    status = fields(call("PodSandboxStatus", {1: pod})[1])
    told("pod: state and handler", (status.get(3, 0), status[9].decode()), (0, HANDLER))

    forever = "trap 'exit 7' TERM; echo begun; while :; do sleep 0.1; done"
    one = container(pod, sandbox, "one", "sh", "-c", forever, resources={3: 512, 4: MEMORY})
    two = container(pod, sandbox, "two", "sleep", "1000")

    told("exec", execute(one, "sh", "-c", "echo $NAME; echo err >&2; exit 3"), ("one", "err", 3))
    told("exec of what is not there", "refused" if fails_to_execute(one) else "done", "refused")
    told("rights", execute(one, "grep", "NoNewPrivs", "/proc/self/status")[0].split()[-1], "1")
    told("host name", execute(two, "hostname")[0], "island")
    told("address", "10.9.0.2" in execute(one, "ip", "address", "show", "eth0")[0], True)
    same = {execute(each, "readlink", "/proc/self/ns/ipc")[0] for each in (one, two)}
    told("ipc namespaces of the two", len(same), 1)
    same = {execute(each, "readlink", "/proc/self/ns/net")[0] for each in (one, two)}
    told("network namespaces of the two", len(same), 1)
    apart = {execute(each, "readlink", "/proc/self/ns/mnt")[0] for each in (one, two)}
    told("mount namespaces of the two", len(apart), 2)

    limit = f"/sys/fs/cgroup/memory/{PARENT}/{one}/memory.limit_in_bytes"
    shares = f"/sys/fs/cgroup/cpu/{PARENT}/{one}/cpu.shares"
    told("memory limit", read(limit), str(MEMORY))
    told("cpu shares", read(shares), "512")
    call("UpdateContainerResources", {1: one, 2: {3: 256, 4: 2 * MEMORY}})
    told("memory limit, updated", read(limit), str(2 * MEMORY))
    told("cpu shares, updated", read(shares), "256")
    told("usage is told", 1 in call("ContainerStats", {1: one}), True)

    refused("starting one again", "StartContainer", {1: one})
    call("StopContainer", {1: one, 2: 10})
    told("one: ended with", state(one).get(7, 0), 7)
    call("StopContainer", {1: two, 2: 0})
    told("two: ended with", state(two).get(7, 0), 137)
    told("log of one", "begun" in read("/run/pod-logs/one.log"), True)
    for each in (one, two):
        call("RemoveContainer", {1: each})
    refused("a removed container", "ContainerStatus", {1: one})
    call("StopPodSandbox", {1: pod})
    told("pod: stopped", fields(call("PodSandboxStatus", {1: pod})[1]).get(3, 0), 1)
    call("RemovePodSandbox", {1: pod})
    told("pods left", 1 in call("ListPodSandbox", {}), False)
    told("containers left", 1 in call("ListContainers", {}), False)


def fails_to_execute(container):
    try:
        return execute(container, "nothing")[2] != 0
    except grpc.RpcError:
        return True


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


main()
