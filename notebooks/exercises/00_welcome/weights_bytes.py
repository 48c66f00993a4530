"""What the weights of a model take, half bytes rounded up."""

MINUTES, DOTS = 3, 1
PROVES = "right for five dtypes, for odd counts in int4, for zero parameters, and an unknown dtype is refused"


def weights_bytes(n_parameters, dtype):
    bits = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8, "int4": 4}
    if dtype not in bits:
        raise ValueError(f"no dtype is called {dtype}")
    return (n_parameters * bits[dtype] + 7) // 8


HINTS = """
How many bits does one number take in each of the five dtypes? The text above lists them; write a dictionary.
Look up the bits, multiply by the number of parameters, and divide by the bits of a byte. Two int4 weights share
    a byte; an odd one out still needs a whole byte.
Keep `{"fp32": 32, "bf16": 16, ...}` and raise ValueError where the dtype is not in it. Then divide with whole
    numbers, rounding up: `(bits_in_all + 7) // 8`.
"""
SLIPS = """
(n_parameters * bits[dtype] + 7) // 8 => n_parameters * bits[dtype]
    these are bits; 8 bits make one byte.
"bf16": 16 => "bf16": 32
    you count 4 bytes for bf16; it is 16 bits long, so 2 bytes.
"bf16": 16 => "bf16": 32 && "fp16": 16 => "fp16": 32
    you count 4 bytes for the 16-bit formats; 16 bits are 2 bytes.
, "fp16": 16 =>
    fp16 is missing from your table; like bf16 it has 16 bits.
```
, "fp16": 16
=>

&&
    if dtype not in bits:
        raise ValueError(f"no dtype is called {dtype}")

=>

```
    fp16 is missing from your table; like bf16 it has 16 bits.
"int4": 4 => "int4": 8
    you count a whole byte for int4; two 4-bit weights share one byte.
(n_parameters * bits[dtype] + 7) // 8 => n_parameters * bits[dtype] / 8
    dividing with `/` gives a float; bytes are whole: round up.
+ 7 =>
    you round down; half a byte still takes a whole one.
(n_parameters * bits[dtype] + 7) // 8 => round(n_parameters * bits[dtype] / 8)
    `round` takes half a byte to the nearest even number, which may be too few; always round up.
(n_parameters * bits[dtype] + 7) // 8 => n_parameters * bits[dtype] // 8 + (dtype == "int4")
    an even number of int4 weights fills its bytes; only an odd one needs a byte more.
(n_parameters * bits[dtype] + 7) // 8 => n_parameters * (bits[dtype] // 8)
    `4 // 8` is 0, so int4 costs nothing; multiply before dividing.
// 8 => // 8 // 1000
    off by a thousand: the answer is in bytes, not kB.
// 8 => // 8 / 1000
    off by a thousand: the answer is in bytes, not kB.
"""
REFUSED = """
"bf16": 16 => "bf16": 32 && (n_parameters * bits[dtype] + 7) // 8 => n_parameters * bits[dtype] / 8
    yours is a float
"bf16": 16 => "bf16": 32 && "fp16": 16 => "fp16": 32 && "int4": 4 => "int4": 8
    The result is wrong for `weights_bytes(
f"no dtype is called {dtype}" => "unknown dtype"
    should name 'fp7'; yours is 'unknown dtype'
```
    if dtype not in bits:
        raise ValueError(f"no dtype is called {dtype}")

=>

&&
bits[dtype]
=>
bits.get(dtype, 32)
```
    should raise ValueError, because no dtype is called fp7; it returns 40
n_parameters, dtype => n_parameters
    must take (n_parameters, dtype)
return (n_parameters => (n_parameters
    Did you forget `return`?
"""
PROPERTIES = [
    ("bytes are a whole number that is not negative", lambda result, *_: result >= 0 and result == int(result)),
]
RAISES = [((10, "fp7"), ValueError, "no dtype is called fp7", "fp7")]


def cases(rng):
    drawn = [int(n) for n in rng.integers(2, 10**10, size=5)]
    return [
        (1000, "fp32"),
        (8, "int4"),
        (7, "int4"),
        (10, "bf16"),
        (1000, "fp16"),
        *zip(drawn, ("fp32", "bf16", "fp16", "int8", "int4"), strict=True),
        (7_000_000_000, "bf16"),
        (1, "int4"),
        (0, "fp16"),
    ]
