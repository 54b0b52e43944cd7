"""A TLS client's side of a connection, for tests that do what SDKs don't.

ssl.SSLSocket may not be read by one thread and written by another, and cannot
end only its own half; this can.
"""
import io
import socket
import ssl
import threading


class TlsSocket(io.RawIOBase):
    """Plain bytes in and out of a connected socket; the handshake is done at once."""

    def __init__(self, connected, context, host, session=None, wait=True):
        super().__init__()
        self.plain, self.lock = connected, threading.Lock()
        self.clean_end = False          # the server has said goodbye (close_notify)
        self.incoming, self.outgoing, self.unsent = ssl.MemoryBIO(), ssl.MemoryBIO(), b''
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host, session=session)
        if wait:
            self.handshake()

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush_out()
                self.receive()
            except ssl.SSLError:
                self.flush_out()        # the alert
                raise
        self.flush_out()

    def flush_out(self):
        self.unsent += self.outgoing.read()
        while self.unsent:
            n = self.plain.send(self.unsent)
            self.unsent = self.unsent[n:]

    def receive(self):
        data = self.plain.recv(65536)
        with self.lock:
            if data:
                self.incoming.write(data)
            else:
                self.incoming.write_eof()

    def send(self, data):
        with self.lock:
            n = self.tls.write(data)
        self.flush_out()
        return n

    def sendall(self, data):
        while data:
            data = data[self.send(data):]

    def readable(self):
        return True

    def readinto(self, buffer):
        while True:
            try:
                with self.lock:
                    n = self.tls.read(len(buffer), buffer)
                self.clean_end = n == 0
                return n
            except ssl.SSLWantReadError:
                self.receive()
            except ssl.SSLZeroReturnError:
                self.clean_end = True
                return 0
            except ssl.SSLEOFError:
                return 0

    def end(self):
        """Say that nothing more comes (close_notify), and go on reading."""
        with self.lock:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
        self.flush_out()

    def shutdown(self, how):
        self.plain.shutdown(how)

    def makefile(self, mode):
        return io.BufferedReader(self)

    def settimeout(self, seconds):
        self.plain.settimeout(seconds)

    def setsockopt(self, *arguments):
        self.plain.setsockopt(*arguments)

    def setblocking(self, blocking):
        self.plain.setblocking(blocking)

    def close(self):
        super().close()
        self.plain.close()


def connect(host, port, context=None, **options):
    context = context or ssl.create_default_context()
    connected = socket.create_connection((host, port), timeout=30)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        return TlsSocket(connected, context, host, **options)
    except BaseException:
        connected.close()
        raise
