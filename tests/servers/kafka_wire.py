"""Kafka's encoding, as much of it as the tests' own talk with brokers needs."""

import struct


class Reader:
    """A frame, from its front. `flexible`: in the encoding of newer versions of a request."""

    def __init__(self, data):
        self._data, self._at = data, 0

    def take(self, code):
        (value,) = struct.unpack_from(">" + code, self._data, self._at)
        self._at += struct.calcsize(">" + code)
        return value

    @property
    def at(self):
        """Where it is in the frame."""
        return self._at

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def string(self, flexible=False):
        size = self.varint() - 1 if flexible else self.take("h")
        if size < 0:
            return None
        self._at += size
        return self._data[self._at - size:self._at].decode()

    def array(self, flexible=False):
        return self.varint() - 1 if flexible else self.take("i")

    def tags(self):
        for _ in range(self.varint()):
            self.varint()
            self._at += self.varint()
