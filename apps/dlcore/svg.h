/* Drawings as SVG: a standalone file, readable on a light and on a dark background. Lengths are pixels, y grows
 * downwards; what does not fit into memory leaves `out` marked, as with any dlc_str. [main]
 *
 * Classes of CSS: "ink" and "soft" for texts, "grid" and "axis" for lines, "right" and "wrong" for the cells of a
 * matrix, "on" for texts on strong ones, "s0" to "s7" for series. */
#ifndef DLCORE_APP_SVG_H
#define DLCORE_APP_SVG_H
#include "base/str.h"

enum { CLI_SVG_SERIES = 8 };

/* Everything else goes between these two. */
void cli_svg_begin(dlc_str *out, double width, double height, const char *title);
void cli_svg_end(dlc_str *out);

typedef struct cli_svg_text {
  double x, y, size;
  double angle;       /* degrees, clockwise */
  const char *anchor; /* "start", "middle", "end" */
  const char *style;  /* a class, or several */
} cli_svg_text;
/* At most `most` characters are shown, the whole text when one points at it. 0: all. */
void cli_svg_write(dlc_str *out, const cli_svg_text *t, const char *text, size_t most);
/* `tip`: shown when one points at it, or NULL. */
void cli_svg_rect(dlc_str *out, double x, double y, double width, double height, const char *style, double opacity,
                  const char *tip);
void cli_svg_line(dlc_str *out, double x1, double y1, double x2, double y2, const char *style);
void cli_svg_dot(dlc_str *out, double x, double y, const char *style, const char *tip);
/* n points; where y is NaN the line has a gap. A point between two gaps is a dot. */
void cli_svg_curve(dlc_str *out, const double *x, const double *y, size_t n, const char *style, const char *tip);

/* Of a text as it would be written: in characters, and in pixels at most. */
size_t cli_svg_length(const char *text, size_t most);
double cli_svg_width(const char *text, size_t most, double size);

#endif
