"""A pendulum with friction, let go at 30 degrees: its first period and where it ends up."""

import argparse
import math

GRAVITY = 9.81
STEP_SECONDS = 0.005


def main() -> None:
    """Prints one line: length, damping, period in seconds, angle at the end in degrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--length", type=float, required=True, help="in metres")
    parser.add_argument("--damping", type=float, required=True, help="per second")
    parser.add_argument("--steps", type=int, default=2000)
    options = parser.parse_args()
    angle, speed = math.radians(30), 0.0
    crossings: list[float] = []
    for step in range(options.steps):
        before = angle
        speed -= (
            GRAVITY / options.length * math.sin(angle) + options.damping * speed
        ) * STEP_SECONDS
        angle += speed * STEP_SECONDS
        if before > 0 >= angle:
            crossings.append(step * STEP_SECONDS)
    period = crossings[1] - crossings[0] if len(crossings) > 1 else math.nan
    print(f"{options.length},{options.damping},{period:.3f},{math.degrees(angle):.2f}")


if __name__ == "__main__":
    main()
