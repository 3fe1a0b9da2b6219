"""What the standard library's bz2.py is made of: the bzip2 format, in Python. There is no libbz2 in the
sandbox. Slow (about 1 MB a second decompressed, a tenth of that compressed), but right: what
other programs write is read, and they read what is written here, in blocks of 100 kB."""

MAGIC_BLOCK, MAGIC_END = 0x314159265359, 0x177245385090
BLOCK_BYTES = 99_980
GROUP = 50  # symbols that are coded with one table
RUN_A, RUN_B = 0, 1
POLYNOMIAL = 0x04C11DB7


def _crc_table():
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1 ^ POLYNOMIAL if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        yield value


_CRC = tuple(_crc_table())


def _crc(data, value=0xFFFFFFFF):
    table = _CRC
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


def _combine(total, crc):
    return ((total << 1 | total >> 31) ^ crc) & 0xFFFFFFFF


# --- Decompressing ----------------------------------------------------------------------------

class _Bits:
    """Bits of bytes that come piece by piece; take() is a generator that yields when it needs more."""

    def __init__(self):
        self.data, self.at, self.value, self.count = b"", 0, 0, 0

    def take(self, wanted):
        while self.count < wanted:
            while self.at == len(self.data):
                yield None
            part = self.data[self.at:self.at + 4096]
            self.at += len(part)
            self.value = self.value << 8 * len(part) | int.from_bytes(part)
            self.count += 8 * len(part)
        self.count -= wanted
        result = self.value >> self.count
        self.value &= (1 << self.count) - 1
        return result

    def align(self):
        self.count -= self.count % 8
        self.value &= (1 << self.count) - 1

    def rest(self):
        """Whole bytes that were not used."""
        return self.value.to_bytes(self.count // 8) + self.data[self.at:]


def _lengths(bits, symbols):
    """The code lengths of one table."""
    length, lengths = (yield from bits.take(5)), []
    for _ in range(symbols):
        while (yield from bits.take(1)):
            length += -1 if (yield from bits.take(1)) else 1
            if not 1 <= length <= 20:
                raise OSError("Invalid data stream")
        if not 1 <= length <= 20:
            raise OSError("Invalid data stream")
        lengths.append(length)
    return lengths


def _decoder(lengths):
    """{(length, code): symbol}, canonical."""
    codes, code = {}, 0
    for length in range(min(lengths), max(lengths) + 1):
        for symbol, own in enumerate(lengths):
            if own == length:
                codes[length, code] = symbol
                code += 1
        code <<= 1
    return codes, min(lengths)


def _symbol_map(bits):
    ranges, used = (yield from bits.take(16)), bytearray()
    for high in range(16):
        if ranges >> 15 - high & 1:
            present = yield from bits.take(16)
            used += bytes(high * 16 + low for low in range(16) if present >> 15 - low & 1)
    if not used:
        raise OSError("Invalid data stream")
    return used


def _selectors(bits, tables, count):
    order, selectors = list(range(tables)), []
    for _ in range(count):
        index = 0
        while (yield from bits.take(1)):
            index += 1
            if index >= tables:
                raise OSError("Invalid data stream")
        order.insert(0, order.pop(index))
        selectors.append(order[0])
    return selectors


def _symbols(bits, decoders, selectors, end):
    for selector in selectors:
        codes, shortest = decoders[selector]
        for _ in range(GROUP):
            length, code = shortest, (yield from bits.take(shortest))
            while (length, code) not in codes:
                if length > 20:
                    raise OSError("Invalid data stream")
                code = code << 1 | (yield from bits.take(1))
                length += 1
            symbol = codes[length, code]
            if symbol == end:
                return
            yield symbol
    raise OSError("Invalid data stream")


def _move_to_front(bits, decoders, selectors, used, limit):
    """The last column of the sorted rotations."""
    column, run, weight, end = bytearray(), 0, 1, len(used) + 1
    for symbol in _symbols(bits, decoders, selectors, end):
        if symbol is None:
            yield None
            continue
        if symbol <= RUN_B:
            run += weight << symbol
            weight <<= 1
            if run > limit:
                raise OSError("Invalid data stream")
            continue
        column += used[:1] * run
        run, weight = 0, 1
        byte = used.pop(symbol - 1)
        used.insert(0, byte)
        column.append(byte)
        if len(column) > limit:
            raise OSError("Invalid data stream")
    column += used[:1] * run
    if len(column) > limit:
        raise OSError("Invalid data stream")
    return column


def _unsort(column, origin):
    """The block from the last column of its sorted rotations."""
    starts, total = [], 0
    for byte in range(256):
        starts.append(total)
        total += column.count(byte)
    following = [0] * len(column)
    for index, byte in enumerate(column):
        following[starts[byte]] = index
        starts[byte] += 1
    if origin >= len(column):
        raise OSError("Invalid data stream")
    result, at = bytearray(), following[origin]
    for _ in range(len(column)):
        result.append(column[at])
        at = following[at]
    return result


def _expand(block):
    """Four equal bytes are followed by the number of further ones."""
    result, at, size = bytearray(), 0, len(block)
    equal, last = 0, -1
    while at < size:
        byte = block[at]
        at += 1
        equal = equal + 1 if byte == last else 1
        last = byte
        result.append(byte)
        if equal == 4:
            if at == size:
                break
            result += bytes([byte]) * block[at]
            at += 1
            equal, last = 0, -1
    return result


def _block(bits, level):
    if (yield from bits.take(1)):
        raise OSError("randomised blocks of bzip2 before 0.9.5 are not supported")
    origin = yield from bits.take(24)
    used = yield from _symbol_map(bits)
    tables = yield from bits.take(3)
    count = yield from bits.take(15)
    if not 2 <= tables <= 6 or not count:
        raise OSError("Invalid data stream")
    selectors = yield from _selectors(bits, tables, count)
    decoders = []
    for _ in range(tables):
        decoders.append(_decoder((yield from _lengths(bits, len(used) + 2))))
    column = yield from _move_to_front(bits, decoders, selectors, used, level * 100_000)
    return bytes(_expand(_unsort(column, origin)))


def _stream(bits):
    """Yields None for more input, and blocks."""
    header = yield from bits.take(32)
    level = (header & 0xFF) - ord("0")
    if header >> 8 != 0x425A68 or not 1 <= level <= 9:
        raise OSError("Invalid data stream")
    total = 0
    while True:
        magic = yield from bits.take(48)
        crc = yield from bits.take(32)
        if magic == MAGIC_END:
            if crc != total:
                raise OSError("Invalid data stream")
            bits.align()
            return
        if magic != MAGIC_BLOCK:
            raise OSError("Invalid data stream")
        block = yield from _block(bits, level)
        if _crc(block) ^ 0xFFFFFFFF != crc:
            raise OSError("Invalid data stream")
        total = _combine(total, crc)
        yield block


class _Stream:
    def __reduce__(self):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


class BZ2Decompressor(_Stream):
    """Decompresses one stream."""

    def __new__(cls):
        self = super().__new__(cls)
        self._bits, self._ready = _Bits(), bytearray()
        self._blocks = _stream(self._bits)
        self._over, self._failed = False, False
        self.eof, self.needs_input, self.unused_data = False, True, b""
        return self

    def decompress(self, data, max_length=-1):
        if self.eof:
            raise EOFError("End of stream already reached")
        if self._failed:
            raise ValueError("the decompressor cannot go on after a previous error")
        bits = self._bits
        bits.data, bits.at = bits.data[bits.at:] + bytes(data), 0
        starved = False
        while not starved and not self._over and (max_length < 0 or len(self._ready) < max_length):
            block = self._next()
            if block is self:
                self._over, self.unused_data = True, bits.rest()
            elif block is None:
                starved = True
            else:
                self._ready += block
        size = len(self._ready) if max_length < 0 else max_length
        result = bytes(self._ready[:size])
        del self._ready[:size]
        self.eof = self._over and not self._ready
        self.needs_input = not self.eof and not self._ready and starved
        return result

    def _next(self):
        try:
            return next(self._blocks, self)
        except OSError:
            self._failed, self.needs_input = True, False
            raise


# --- Compressing ------------------------------------------------------------------------------

def _sort(block):
    """The order of the rotations: by their beginnings, then by the order of what follows these."""
    size, step = len(block), 8
    twice = block + block
    while len(twice) < 2 * size + step:
        twice += block
    ranks, places = [0] * size, {}
    for index, key in enumerate(sorted({twice[i:i + step] for i in range(size)})):
        places[key] = index
    for i in range(size):
        ranks[i] = places[twice[i:i + step]]
    order = sorted(range(size), key=ranks.__getitem__)
    while step < size and len(set(ranks)) < size:
        keys = [(ranks[i] << 20) + ranks[(i + step) % size] for i in range(size)]
        order.sort(key=keys.__getitem__)
        rank, last = -1, None
        for i in order:
            if keys[i] != last:
                rank, last = rank + 1, keys[i]
            ranks[i] = rank
        step *= 2
    return order


def _shrink(data):
    """Runs of 4 to 255 equal bytes become four and a count."""
    result, at = bytearray(), 0
    while at < len(data):
        byte, run = data[at], 1
        while run < 255 and data[at + run:at + run + 1] == data[at:at + 1]:
            run += 1
        result += bytes([byte]) * min(run, 4)
        if run >= 4:
            result.append(run - 4)
        at += run
    return bytes(result)


def _to_symbols(column, used):
    """Moved to front, runs of zeros in bijective base two, the end at last."""
    order, symbols, zeros = list(used), [], 0

    def put_zeros():
        number = zeros
        while number:
            symbols.append(RUN_A if number & 1 else RUN_B)
            number = number - 1 >> 1

    for byte in column:
        index = order.index(byte)
        if index == 0:
            zeros += 1
            continue
        put_zeros()
        zeros = 0
        order.insert(0, order.pop(index))
        symbols.append(index + 1)
    put_zeros()
    return [*symbols, len(used) + 1]


def _code_lengths(counts):
    """Huffman's; with counts made more alike until no code is longer than 17 bits."""
    import heapq

    while True:
        heap = [(count, symbol, (symbol,)) for symbol, count in enumerate(counts)]
        lengths = [0] * len(counts)
        heapq.heapify(heap)
        while len(heap) > 1:
            a, b = heapq.heappop(heap), heapq.heappop(heap)
            for symbol in (*a[2], *b[2]):
                lengths[symbol] += 1
            heapq.heappush(heap, (a[0] + b[0], a[1], a[2] + b[2]))
        if max(lengths) <= 17:
            return lengths
        counts = [count // 2 + 1 for count in counts]


class _Writer:
    def __init__(self):
        self.out, self.value, self.count = bytearray(), 0, 0

    def put(self, value, width):
        self.value = self.value << width | value
        self.count += width
        if self.count >= 4096:
            self.drain()

    def drain(self):
        rest = self.count % 8
        self.out += (self.value >> rest).to_bytes(self.count // 8)
        self.value &= (1 << rest) - 1
        self.count = rest

    def take(self):
        self.drain()
        result = bytes(self.out)
        self.out.clear()
        return result


def _put_table(writer, lengths):
    length = lengths[0]
    writer.put(length, 5)
    for own in lengths:
        while length != own:
            writer.put(2 if own > length else 3, 2)
            length += 1 if own > length else -1
        writer.put(0, 1)


def _put_block(writer, data):
    block = _shrink(data)
    order = _sort(block)
    used = sorted(set(block))
    symbols = _to_symbols((block[i - 1] for i in order), used)
    counts = [0] * (len(used) + 2)
    for symbol in symbols:
        counts[symbol] += 1
    lengths = _code_lengths([count or 1 for count in counts])
    codes = {symbol: (code, length) for (length, code), symbol in _decoder(lengths)[0].items()}
    writer.put(order.index(0), 24 + 1)
    present = [sum(1 << 15 - byte % 16 for byte in used if byte // 16 == high) for high in range(16)]
    writer.put(sum(1 << 15 - high for high in range(16) if present[high]), 16)
    for bits in filter(None, present):
        writer.put(bits, 16)
    groups = -(-len(symbols) // GROUP)
    writer.put(2, 3)  # the format wants two tables at least: the same twice
    writer.put(groups, 15)
    writer.put(0, groups)
    _put_table(writer, lengths)
    _put_table(writer, lengths)
    for symbol in symbols:
        writer.put(*codes[symbol])


class BZ2Compressor(_Stream):
    """Compresses one stream. The level is only written to its header: all blocks are small."""

    def __init__(self, compresslevel=9, /):
        if not 1 <= compresslevel <= 9:
            raise ValueError("compresslevel must be between 1 and 9")
        self._writer, self._pending = _Writer(), bytearray()
        self._total, self._done = 0, False
        self._writer.put(0x425A6830 + compresslevel, 32)

    def _put(self, data):
        crc = _crc(data) ^ 0xFFFFFFFF
        self._total = _combine(self._total, crc)
        self._writer.put(MAGIC_BLOCK, 48)
        self._writer.put(crc, 32)
        _put_block(self._writer, data)

    def compress(self, data, /):
        if self._done:
            raise ValueError("Compressor has been flushed")
        self._pending += data
        # Four bytes may become five.
        size = BLOCK_BYTES * 4 // 5
        while len(self._pending) >= size:
            self._put(bytes(self._pending[:size]))
            del self._pending[:size]
        return self._writer.take()

    def flush(self):
        if self._done:
            raise ValueError("Repeated call to flush()")
        self._done = True
        if self._pending:
            self._put(bytes(self._pending))
        self._writer.put(MAGIC_END, 48)
        self._writer.put(self._total, 32)
        if self._writer.count % 8:
            self._writer.put(0, 8 - self._writer.count % 8)
        return self._writer.take()
