/* Writing SVG, see svg.h. */
#include "svg.h"
#include "json_text.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A file opened by itself takes the colours of the viewer's theme; the second half is for dark ones. */
static const char style_sheet[] = "svg{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\n"
                                  ".paper{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#59636e}.on{fill:#ffffff}\n"
                                  ".grid{stroke:#e3e7eb;stroke-width:1}.axis{stroke:#8c959f;stroke-width:1}\n"
                                  ".right{fill:#1a64c8}.wrong{fill:#c2410c}.empty{fill:#f3f5f7}\n"
                                  ".curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}\n"
                                  ".dot{stroke-width:6;stroke-linecap:round}\n"
                                  ".dashed{stroke-dasharray:5 4;stroke-width:1.6}\n"
                                  ".s0{stroke:#2f7de1}.s1{stroke:#e0702a}.s2{stroke:#2f9e4f}.s3{stroke:#c2478f}\n"
                                  ".s4{stroke:#8a5be0}.s5{stroke:#a98500}.s6{stroke:#12939f}.s7{stroke:#d1344b}\n"
                                  ".key{stroke:#59636e}\n"
                                  "@media (prefers-color-scheme:dark){\n"
                                  ".paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9aa4af}\n"
                                  ".grid{stroke:#262c34}.axis{stroke:#6e7681}.empty{fill:#161b22}.key{stroke:#9aa4af}\n"
                                  ".right{fill:#2f7de1}.wrong{fill:#d9601a}\n"
                                  "}\n";

/* ---- texts ---- */

static bool is_continuation(char c)
{
  return ((unsigned char)c & 0xC0) == 0x80;
}

/* What XML does not allow at all becomes '?'. The bytes are UTF-8. */
static void add_character(dlc_str *out, const char *c, size_t n)
{
  const bool noncharacter = n == 3 && (!memcmp(c, "\xEF\xBF\xBE", 3) || !memcmp(c, "\xEF\xBF\xBF", 3));
  if (*c == '&') dlc_str_add(out, "&amp;");
  else if (*c == '<') dlc_str_add(out, "&lt;");
  else if (*c == '>') dlc_str_add(out, "&gt;");
  else if ((unsigned char)*c < ' ' || *c == 127 || noncharacter) dlc_str_add(out, "?");
  else dlc_str_addn(out, c, n);
}

static size_t count_characters(const char *text)
{
  size_t n = 0;
  for (; *text; text++) n += !is_continuation(*text);
  return n;
}

/* `most` 0: all of it. */
static void add_text(dlc_str *out, const char *text, size_t most)
{
  json_t *valid = cli_json_text(text);
  const char *c = valid ? json_string_value(valid) : "";
  const bool cut = most && count_characters(c) > most;
  if (!valid) out->failed = true;
  for (size_t left = cut ? most - 1 : SIZE_MAX; *c && left; left--) {
    size_t n = 1;
    while (is_continuation(c[n])) n++;
    add_character(out, c, n);
    c += n;
  }
  if (cut) dlc_str_add(out, "…");
  json_decref(valid);
}

static void add_tip(dlc_str *out, const char *tip)
{
  dlc_str_add(out, "<title>");
  add_text(out, tip, 0);
  dlc_str_add(out, "</title>");
}

size_t cli_svg_length(const char *text, size_t most)
{
  const size_t n = count_characters(text);
  return most && n > most ? most : n;
}

double cli_svg_width(const char *text, size_t most, double size)
{
  return 0.6 * size * (double)cli_svg_length(text, most);
}

void cli_svg_write(dlc_str *out, const cli_svg_text *t, const char *text, size_t most)
{
  dlc_str_addf(out, "<text x=\"%.6g\" y=\"%.6g\" font-size=\"%.6g\" text-anchor=\"%s\" class=\"%s\"", t->x, t->y,
               t->size, t->anchor, t->style);
  if (t->angle != 0) dlc_str_addf(out, " transform=\"rotate(%.6g %.6g %.6g)\"", t->angle, t->x, t->y);
  dlc_str_add(out, ">");
  if (cli_svg_length(text, most) < cli_svg_length(text, 0)) add_tip(out, text);
  add_text(out, text, most);
  dlc_str_add(out, "</text>\n");
}

/* ---- shapes ---- */

void cli_svg_begin(dlc_str *out, double width, double height, const char *title)
{
  dlc_str_addf(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.6g\" height=\"%.6g\" "
               "viewBox=\"0 0 %.6g %.6g\" role=\"img\">\n",
               width, height, width, height);
  add_tip(out, title);
  dlc_str_addf(out, "\n<style>\n%s</style>\n<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", style_sheet);
}

void cli_svg_end(dlc_str *out)
{
  dlc_str_add(out, "</svg>\n");
}

/* Ends an element that was begun without its '>'. */
static void end_element(dlc_str *out, const char *name, const char *tip)
{
  if (tip) {
    dlc_str_add(out, ">");
    add_tip(out, tip);
    dlc_str_addf(out, "</%s>\n", name);
  } else {
    dlc_str_add(out, "/>\n");
  }
}

void cli_svg_rect(dlc_str *out, double x, double y, double width, double height, const char *style, double opacity,
                  const char *tip)
{
  dlc_str_addf(out, "<rect x=\"%.6g\" y=\"%.6g\" width=\"%.6g\" height=\"%.6g\" class=\"%s\"", x, y, width, height,
               style);
  if (opacity < 1) dlc_str_addf(out, " fill-opacity=\"%.3g\"", opacity);
  end_element(out, "rect", tip);
}

void cli_svg_line(dlc_str *out, double x1, double y1, double x2, double y2, const char *style)
{
  dlc_str_addf(out, "<line x1=\"%.6g\" y1=\"%.6g\" x2=\"%.6g\" y2=\"%.6g\" class=\"%s\"/>\n", x1, y1, x2, y2, style);
}

/* No length, but round ends. */
void cli_svg_dot(dlc_str *out, double x, double y, const char *style, const char *tip)
{
  dlc_str_addf(out, "<path class=\"dot %s\" d=\"M%.6g %.6gh0\"", style, x, y);
  end_element(out, "path", tip);
}

void cli_svg_curve(dlc_str *out, const double *x, const double *y, size_t n, const char *style, const char *tip)
{
  dlc_str_addf(out, "<path class=\"curve %s\" d=\"", style);
  for (size_t i = 0; i < n; i++) {
    const bool begins = i == 0 || isnan(y[i - 1]), ends = i + 1 == n || isnan(y[i + 1]);
    if (isnan(y[i])) continue;
    dlc_str_addf(out, "%c%.6g %.6g", begins ? 'M' : 'L', x[i], y[i]);
    if (begins && ends) dlc_str_add(out, "h0");
  }
  dlc_str_add(out, "\"");
  end_element(out, "path", tip);
}
