"""A soak's samples as lines in the terminal and as one SVG."""

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 60
SVG_WIDTH, SVG_HEIGHT, SVG_LEFT = 720, 110, 60


def averaged(values, count):
    """At most `count` values, each the mean of its share."""
    if len(values) <= count:
        return values
    edges = [len(values) * i // count for i in range(count + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in zip(edges, edges[1:])]


def line(title, unit, values):
    values = averaged(values, WIDTH)
    low, high = min(values), max(values)
    span = (high - low) or 1
    bars = "".join(BARS[int((value - low) / span * (len(BARS) - 1))] for value in values)
    return f"  {title:16} {bars:{WIDTH}} {low:.6g} .. {high:.6g} {unit}"


def svg(title, series, seconds):
    """`series`: (title, unit, values), one panel below the other, each from zero."""
    height = SVG_HEIGHT * len(series) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{SVG_WIDTH}" height="{height}" '
             'font-family="sans-serif" font-size="11">',
             f'<rect width="100%" height="100%" fill="white"/><text x="8" y="16">{title}</text>']
    for index, (name, unit, values) in enumerate(series):
        top = 28 + index * SVG_HEIGHT
        high = max(max(values), 1e-9) * 1.1
        base = top + SVG_HEIGHT - 24
        step = (SVG_WIDTH - SVG_LEFT - 10) / max(1, len(values) - 1)
        points = " ".join(f"{SVG_LEFT + i * step:.1f},{base - value / high * (base - top):.1f}"
                          for i, value in enumerate(values))
        parts.append(f'<line x1="{SVG_LEFT}" x2="{SVG_WIDTH - 10}" y1="{base}" y2="{base}" '
                     'stroke="#999"/>'
                     f'<polyline fill="none" stroke="#06c" points="{points}"/>'
                     f'<text x="4" y="{top + 10}">{name}, {unit}</text>'
                     f'<text x="4" y="{base}">0</text>'
                     f'<text x="4" y="{top + 24}">{high / 1.1:.5g}</text>')
    parts.append(f'<text x="{SVG_WIDTH - 70}" y="{height - 6}">{seconds:.0f} s</text></svg>')
    return "\n".join(parts)
