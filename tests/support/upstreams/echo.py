"""An upstream that says what it was asked: JSON of method, target, headers and body.

What the path begins with decides more:
  /status/NNN  answers with that status
  /chunked     answers in chunks of 17 bytes with an extension each, and a trailer
  /close       ends the answer by closing, HTTP/1.0 style
  /length/N    answers N bytes of 'x'
  /count       reads the body and answers its length only
Prints its port and serves until it is killed. Only the standard library.
"""

import asyncio
import json


async def read_head(reader):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _version = first.split(" ", 2)
    return method, target, [line.split(": ", 1) for line in lines]


async def read_body(reader, headers):
    """The body in pieces."""
    values = {name.lower(): value for name, value in headers}
    if values.get("transfer-encoding", "").lower() == "chunked":
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            piece = await reader.readexactly(size + 2)
            if size == 0:
                return
            yield piece[:-2]
    left = int(values.get("content-length", 0))
    while left:
        piece = await reader.read(min(left, 1 << 20))
        if not piece:
            raise ConnectionError("the gateway ended within a body")
        left -= len(piece)
        yield piece


def head(status, headers):
    lines = [f"HTTP/1.1 {status} As-Asked", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def answer(reader, writer):
    """One request; False: the connection is over."""
    request = await read_head(reader)
    if request is None:
        return False
    method, target, headers = request
    kind, _, rest = target.split("?")[0].strip("/").partition("/")
    status = 200
    if kind == "count":
        length = 0
        async for piece in read_body(reader, headers):
            length += len(piece)
        body = b'{"length":%d}' % length
    else:
        received = b"".join([piece async for piece in read_body(reader, headers)])
        said = {"method": method, "target": target, "headers": headers, "body": received.decode("latin-1")}
        body = json.dumps(said).encode()
    if kind == "status":
        status = int(rest)
    if kind == "length":
        body = b"x" * int(rest)
    common = [("Content-Type", "application/json"), ("X-Upstream", "python"), ("Server", "echo.py")]
    if kind == "chunked":
        writer.write(head(status, [*common, ("Transfer-Encoding", "chunked"), ("Trailer", "X-Late")]))
        for at in range(0, len(body), 17):
            piece = body[at : at + 17]
            writer.write(b"%x;some=extension\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\nX-Late: yes\r\n\r\n")
    elif kind == "close":
        writer.write(head(status, [*common, ("Connection", "close")]) + body)
        await writer.drain()
        return False
    else:
        writer.write(head(status, [*common, ("Content-Length", len(body))]))
        if method != "HEAD":
            writer.write(body)
    await writer.drain()
    return True


async def serve(reader, writer):
    try:
        while await answer(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
