import regex
from regex import _regex

print(_regex.__file__.rpartition("/")[2], regex.__version__)
print(regex.findall(r"\p{Lu}\w+", "Hello World élan Été"))
print(regex.search(r"(?:cats|cat){e<=1}", "xxcaxx"))
print(regex.split(r"(?V1)(?=\d)", "a1b2c3"), regex.sub(r"(?r)\d", "#", "1a2b", count=1))
print(regex.match(r"(?P<word>\w+)(?:,(?P<word>\w+))*", "one,two,three").captures("word"))
print(regex.fullmatch(r"\((?:[^()]|(?R))*\)", "(a(b)(c(d)))") is not None)
print(regex.findall(r"\X", "e\u0301x\U0001f468\u200d\U0001f469"), regex.escape("a.b"))
print(regex.sub(r"(?i)straße", "*", "STRASSE straße"), regex.findall(r"(?<=a|bc)d", "ad bcd"))
print([m.span() for m in regex.finditer("aa", "aaaa", overlapped=True)])
text = "word " * 20000
print(len(regex.findall(r"\bw\w*", text)), regex.search(r"z", text))
try:
    regex.compile(r"(a")
except regex.error as error:
    print(error)
try:
    regex.search(r"(a+)+$", "a" * 28 + "b", timeout=0.05)
    print("no timeout needed")
except TimeoutError as error:
    print(error)
