import re

from bs4 import BeautifulSoup, Comment

soup = BeautifulSoup("""<html><head><title>The page</title></head><body class="a b">
<p id=one>Hello <b>bold</b> &amp; <i>it</i><!-- note --></p><p class="x">Two<br>lines</p>
<ul><li><a href="/1">first</a><li><a href="/2" rel="next nofollow">second</a></ul>
<table><tr><td>1<td>2<tr><td>3</table></body></html>""", "html.parser")
print(soup.title.string, soup.body["class"], soup.p.get_text(" ", strip=True))
print([a["href"] for a in soup.find_all("a")], soup.find("a", rel="next").text)
print(soup.select("p.x, #one > b"), soup.select_one("li a[href$='2']").parent.name)
print([str(c).strip() for c in soup.find_all(string=lambda s: isinstance(s, Comment))])
print([t.name for t in soup.find_all(re.compile("^t[dr]"))], soup.find(id="one").find_next_sibling("p").contents)
soup.p.b.replace_with("plain")
soup.p.i.decompose()
new = soup.new_tag("span", attrs={"data-x": "<1>"})
new.string = "é"
soup.p.append(new)
print(soup.p)
print(soup.ul.prettify())
print(BeautifulSoup(b"\xe9", "html.parser", from_encoding="latin-1").text)
