import attr
import attrs
from attrs import Factory, asdict, define, evolve, field, frozen, validators


@define
class Point:
    x: int = field(validator=validators.instance_of(int))
    y: int = field(default=0, converter=int)
    tags: list = Factory(list)

    @x.validator
    def positive(self, attribute, value):
        if value < 0:
            raise ValueError(f"{attribute.name} must be >= 0")


@frozen(order=True)
class Version:
    major: int
    minor: int = field(default=0, repr=False)


point = Point(1, "2")
print(point, point == Point(1, 2), asdict(point), evolve(point, x=5))
for arguments in ("1",), (-1,):
    try:
        Point(*arguments)
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error.args[0])
print(sorted([Version(2), Version(1, 5), Version(1)]), hash(Version(1)) == hash(Version(1)))
try:
    Version(1).major = 2
except attrs.exceptions.FrozenInstanceError:
    print("frozen")
try:
    point.z = 1
except AttributeError as error:
    print("slots:", "z" in str(error))
print([a.name for a in attrs.fields(Point)], attrs.has(Point), attr.astuple(Version(3, 4)))
Made = attrs.make_class("Made", {"a": field(default=1), "b": field(kw_only=True)})
print(Made(b=2), attr.cmp_using(eq=lambda a, b: True)(1) == attr.cmp_using(eq=lambda a, b: True)(2))
