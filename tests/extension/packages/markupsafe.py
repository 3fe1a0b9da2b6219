import markupsafe
from markupsafe import Markup, _speedups, escape, escape_silent

print(_speedups.__file__.rpartition("/")[2])
print(markupsafe._escape_inner is _speedups._escape_inner)
print(escape("<a href='x'>\"&\"</a>"), escape("plain"), escape(5), repr(escape("é<")))
print(repr(escape_silent(None)), repr(Markup("<b>%s</b>") % "<i>"))


class Page:
    def __html__(self):
        return "<page>"


print(escape(Page()), Markup("<em>{0}</em>").format("a & b"), Markup("a &lt; <b>b</b>").striptags())
text = "<" * 10000 + "\u20ac" + "\U0001f600"
print(len(escape(text)), escape(text) == text.replace("<", "&lt;"))
