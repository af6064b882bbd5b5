"""The square of a picture that the model sees, and how it moves and grows without leaving the picture."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_SIDE = 8
"""The side of the smallest square, in pixels; of a picture that is smaller still, its own."""


@dataclass(frozen=True)
class Square:
    """A square in a picture, in the picture's pixels.

    Parameters
    ----------
    left, top, side
        The square.
    width, height
        The picture, inside which it always lies.
    """

    left: int
    top: int
    side: int
    width: int
    height: int

    @classmethod
    def largest(cls, width: int, height: int) -> Square:
        """Return the largest square, in the centre: what a model sees unless told otherwise."""
        side = min(width, height)
        return cls((width - side) // 2, (height - side) // 2, side, width, height)

    @classmethod
    def of(cls, crop: tuple[int, int, int] | None, width: int, height: int) -> Square:
        """Return the square of a crop (left, top, side), brought into the picture; None is the largest."""
        largest = cls.largest(width, height)
        return largest if crop is None else largest.with_side(crop[2]).at(crop[0], crop[1])

    @property
    def crop(self) -> tuple[int, int, int]:
        """Left edge, top edge and side."""
        return self.left, self.top, self.side

    @property
    def least(self) -> int:
        """The smallest side that is allowed in this picture."""
        return min(LEAST_SIDE, self.width, self.height)

    @property
    def most(self) -> int:
        """The largest side that fits into the picture."""
        return min(self.width, self.height)

    def at(self, left: float, top: float) -> Square:
        """Return it elsewhere, as far as the picture reaches."""
        return Square(
            min(max(0, round(left)), self.width - self.side),
            min(max(0, round(top)), self.height - self.side),
            self.side,
            self.width,
            self.height,
        )

    def moved(self, dx: float, dy: float) -> Square:
        """Return it further right and down."""
        return self.at(self.left + dx, self.top + dy)

    def centred_on(self, x: float, y: float) -> Square:
        """Return it around a point."""
        return self.at(x - self.side / 2, y - self.side / 2)

    def with_side(self, side: float) -> Square:
        """Return it at another size with its upper left corner where it was, where there is room."""
        side = min(max(self.least, round(side)), self.most)
        return Square(self.left, self.top, side, self.width, self.height).at(self.left, self.top)

    def resized(self, side: float, x: float = 0.5, y: float = 0.5) -> Square:
        """Return it at another size around a point of it that stays, as shares of its sides from 0 to 1."""
        resized = self.with_side(side)
        lost = self.side - resized.side
        return resized.at(self.left + x * lost, self.top + y * lost)

    def with_corner(self, right: bool, lower: bool, x: float, y: float) -> Square:
        """Return it with one of its corners drawn to a point, and the corner opposite where it is."""
        fixed_x = self.left if right else self.left + self.side
        fixed_y = self.top if lower else self.top + self.side
        room_x = self.width - fixed_x if right else fixed_x
        room_y = self.height - fixed_y if lower else fixed_y
        wanted = max((x - fixed_x) * (1 if right else -1), (y - fixed_y) * (1 if lower else -1))
        side = round(min(max(self.least, wanted), room_x, room_y))
        left, top = (fixed_x if right else fixed_x - side), (fixed_y if lower else fixed_y - side)
        return Square(left, top, side, self.width, self.height)
