/* The stack machine behind pickle.h. Every opcode is a function that checks what it takes from the stack; all work and
 * memory is bounded by the size of the input and the limits in pickle.h. [any] */
#include "pickle.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESAVED "re-saved with Python 3? Get the original archive or convert it"

/* What a GLOBAL may name. */
enum { GLOBAL_RECONSTRUCT, GLOBAL_NDARRAY, GLOBAL_DTYPE };

typedef struct reader {
  pickle *p;
  const uint8_t *begin, *at, *end;
  const uint8_t *op; /* the opcode that is being carried out */
  pickle_values stack, memo;
  uint32_t n_marks, n_objects, n_elements;
} reader;

/* ---- reasons ---- */

/* "OPCODE at offset 12: ..." */
static dlc_status __attribute__((format(printf, 2, 3))) refuse(reader *r, const char *format, ...)
{
  char what[160];
  va_list args;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  snprintf(r->p->why, sizeof r->p->why, "%s at offset %zu: %s", pickle_opcode_name(*r->op), (size_t)(r->op - r->begin),
           what);
  return DLC_INVALID;
}

static dlc_status refuse_opcode(reader *r)
{
  if (pickle_opcode_name(*r->op)) return refuse(r, "this opcode is not accepted");
  snprintf(r->p->why, sizeof r->p->why, "byte 0x%02x at offset %zu is not an opcode", *r->op,
           (size_t)(r->op - r->begin));
  return DLC_INVALID;
}

static dlc_status out_of_memory(reader *r)
{
  snprintf(r->p->why, sizeof r->p->why, "out of memory");
  return DLC_NOMEM;
}

const char *pickle_type_name(const pickle_value *value)
{
  static const char *const names[] = {
      [PICKLE_UNSET] = "nothing",  [PICKLE_NONE] = "None",         [PICKLE_BOOL] = "a truth value",
      [PICKLE_INT] = "an integer", [PICKLE_BYTES] = "a string",    [PICKLE_TEXT] = "a unicode string",
      [PICKLE_TUPLE] = "a tuple",  [PICKLE_LIST] = "a list",       [PICKLE_DICT] = "a dictionary",
      [PICKLE_ARRAY] = "an array", [PICKLE_DTYPE] = "a data type", [PICKLE_GLOBAL] = "a function or class",
      [PICKLE_MARK] = "a mark"};
  return names[value->type];
}

/* ---- values ---- */

static int make_room(pickle_values *v, uint32_t n)
{
  if (n <= v->room) return 1;
  uint32_t room = v->room ? v->room : 8;
  while (room < n) room *= 2; /* n is at most PICKLE_MAX_ELEMENTS */
  pickle_value *at = realloc(v->at, room * sizeof *at);
  if (!at) return 0;
  v->at = at;
  v->room = room;
  return 1;
}

static dlc_status push(reader *r, pickle_value value)
{
  if (r->stack.n == PICKLE_MAX_STACK) return refuse(r, "more than %d values on the stack", PICKLE_MAX_STACK);
  if (!make_room(&r->stack, r->stack.n + 1)) return out_of_memory(r);
  r->stack.at[r->stack.n++] = value;
  return DLC_OK;
}

static dlc_status push_simple(reader *r, uint32_t type, int64_t number)
{
  return push(r, (pickle_value){.type = type, .as.number = number});
}

/* The k-th value from the top; need() has seen to it that it is there. */
static pickle_value *top(reader *r, uint32_t k)
{
  return &r->stack.at[r->stack.n - 1 - k];
}

/* At least n values above the topmost mark. */
static dlc_status need(reader *r, uint32_t n)
{
  for (uint32_t k = 0; k < n; k++)
    if (k == r->stack.n || top(r, k)->type == PICKLE_MARK)
      return refuse(r, "the stack holds %u values, %u needed", k, n);
  return DLC_OK;
}

static dlc_status push_object(reader *r, uint32_t type)
{
  if (r->n_objects == PICKLE_MAX_OBJECTS) return refuse(r, "more than %d objects", PICKLE_MAX_OBJECTS);
  pickle_object *o = calloc(1, sizeof *o);
  if (!o) return out_of_memory(r);
  r->n_objects++;
  o->next = r->p->objects;
  r->p->objects = o;
  return push(r, (pickle_value){.type = type, .as.object = o});
}

static dlc_status add_elements(reader *r, pickle_object *to, const pickle_value *from, uint32_t n)
{
  if (n > PICKLE_MAX_ELEMENTS - r->n_elements) return refuse(r, "more than %d elements", PICKLE_MAX_ELEMENTS);
  r->n_elements += n;
  if (!make_room(&to->elements, to->elements.n + n)) return out_of_memory(r);
  if (n) memcpy(to->elements.at + to->elements.n, from, n * sizeof *from);
  to->elements.n += n;
  return DLC_OK;
}

/* ---- arguments of an opcode, in the input ---- */

static dlc_status take(reader *r, uint64_t n, const uint8_t **bytes)
{
  uint64_t left = (uint64_t)(r->end - r->at);
  if (n > left)
    return refuse(r, "%llu bytes needed, but the file ends after %llu", (unsigned long long)n,
                  (unsigned long long)left);
  *bytes = r->at;
  r->at += n;
  return DLC_OK;
}

/* An unsigned little-endian integer of n <= 8 bytes. */
static dlc_status take_number(reader *r, uint32_t n, uint64_t *number)
{
  const uint8_t *bytes = NULL;
  dlc_status status = take(r, n, &bytes);
  *number = 0;
  for (uint32_t i = 0; status == DLC_OK && i < n; i++) *number |= (uint64_t)bytes[i] << (8 * i);
  return status;
}

static dlc_status push_number(reader *r, uint32_t n)
{
  uint64_t number = 0;
  dlc_status status = take_number(r, n, &number);
  if (status != DLC_OK) return status;
  return push_simple(r, PICKLE_INT, n == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

/* Two's complement of 0 to 255 bytes. */
static dlc_status push_long(reader *r)
{
  uint64_t n = 0, number = 0;
  dlc_status status = take_number(r, 1, &n);
  if (status != DLC_OK) return status;
  if (n > 8) return refuse(r, "an integer of %u bytes, at most 8 are accepted", (unsigned)n);
  status = take_number(r, (uint32_t)n, &number);
  if (status != DLC_OK) return status;
  if (n > 0 && n < 8 && number >> (8 * n - 1)) number |= UINT64_MAX << (8 * n);
  return push_simple(r, PICKLE_INT, (int64_t)number);
}

/* `width` bytes of length, then the string. */
static dlc_status push_string(reader *r, uint32_t type, uint32_t width)
{
  uint64_t n = 0;
  const uint8_t *bytes = NULL;
  dlc_status status = take_number(r, width, &n);
  if (status != DLC_OK) return status;
  if (type == PICKLE_BYTES && n > INT32_MAX) return refuse(r, "a length of %d", (int32_t)(uint32_t)n);
  status = take(r, n, &bytes);
  if (status != DLC_OK) return status;
  return push(r, (pickle_value){.type = type, .n = (uint32_t)n, .as.bytes = bytes});
}

/* The next line, without its end. */
static dlc_status take_line(reader *r, const char **line, size_t *n)
{
  const uint8_t *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
  if (!end) return refuse(r, "the file ends before its two lines do");
  *line = (const char *)r->at;
  *n = (size_t)(end - r->at);
  r->at = end + 1;
  return DLC_OK;
}

/* At most 60 characters of a name, what is not printable as '?'. */
static const char *printable(const char *name, size_t n, char text[64])
{
  size_t k = n < 60 ? n : 60;
  for (size_t i = 0; i < k; i++) text[i] = name[i] > 32 && name[i] < 127 ? name[i] : '?';
  memcpy(text + k, k < n ? "..." : "", k < n ? 4 : 1);
  return text;
}

static dlc_status push_global(reader *r)
{
  static const struct {
    const char *module, *name;
    int which;
  } known[] = {{"numpy.core.multiarray", "_reconstruct", GLOBAL_RECONSTRUCT},
               {"numpy._core.multiarray", "_reconstruct", GLOBAL_RECONSTRUCT},
               {"numpy", "ndarray", GLOBAL_NDARRAY},
               {"numpy", "dtype", GLOBAL_DTYPE}};
  const char *module = NULL, *name = NULL;
  size_t module_n = 0, name_n = 0;
  char module_text[64], name_text[64];
  dlc_status status = take_line(r, &module, &module_n);
  if (status == DLC_OK) status = take_line(r, &name, &name_n);
  if (status != DLC_OK) return status;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (module_n == strlen(known[i].module) && memcmp(module, known[i].module, module_n) == 0 &&
        name_n == strlen(known[i].name) && memcmp(name, known[i].name, name_n) == 0)
      return push_simple(r, PICKLE_GLOBAL, known[i].which);
  if (module_n == 7 && memcmp(module, "_codecs", 7) == 0) /* how Python 3 writes bytes for Python 2 */
    return refuse(r, "'_codecs.%s' is not accepted: " RESAVED, printable(name, name_n, name_text));
  return refuse(r, "'%s.%s' is not accepted", printable(module, module_n, module_text),
                printable(name, name_n, name_text));
}

static dlc_status check_protocol(reader *r)
{
  uint64_t protocol = 0;
  dlc_status status = take_number(r, 1, &protocol);
  if (status == DLC_OK && protocol > 2)
    return refuse(r, "protocol %u, expected 2 or less: " RESAVED, (unsigned)protocol);
  return status;
}

/* ---- memo ---- */

static dlc_status put(reader *r, uint32_t width)
{
  uint64_t index = 0;
  dlc_status status = take_number(r, width, &index);
  if (status == DLC_OK) status = need(r, 1);
  if (status != DLC_OK) return status;
  if (index > PICKLE_MAX_MEMO) return refuse(r, "memo %u, at most %d is accepted", (unsigned)index, PICKLE_MAX_MEMO);
  if (!make_room(&r->memo, (uint32_t)index + 1)) return out_of_memory(r);
  for (; r->memo.n <= index; r->memo.n++) r->memo.at[r->memo.n].type = PICKLE_UNSET;
  r->memo.at[index] = *top(r, 0);
  return DLC_OK;
}

static dlc_status get(reader *r, uint32_t width)
{
  uint64_t index = 0;
  dlc_status status = take_number(r, width, &index);
  if (status != DLC_OK) return status;
  if (index >= r->memo.n || r->memo.at[index].type == PICKLE_UNSET)
    return refuse(r, "memo %u was never set", (unsigned)index);
  return push(r, r->memo.at[index]);
}

/* ---- containers ---- */

static dlc_status push_mark(reader *r)
{
  if (r->n_marks == PICKLE_MAX_MARKS) return refuse(r, "more than %d marks are open", PICKLE_MAX_MARKS);
  r->n_marks++;
  return push_simple(r, PICKLE_MARK, 0);
}

/* Takes the topmost mark and all above it off the stack. The values stay valid until the next push. */
static dlc_status pop_to_mark(reader *r, const pickle_value **values, uint32_t *n)
{
  if (r->n_marks == 0) return refuse(r, "no mark on the stack");
  uint32_t mark = r->stack.n - 1;
  while (r->stack.at[mark].type != PICKLE_MARK) mark--;
  *values = r->stack.at + mark + 1;
  *n = r->stack.n - 1 - mark;
  r->stack.n = mark;
  r->n_marks--;
  return DLC_OK;
}

/* The n topmost values become one tuple. */
static dlc_status push_tuple(reader *r, uint32_t n)
{
  pickle_value values[3];
  dlc_status status = need(r, n);
  if (status != DLC_OK) return status;
  if (n) memcpy(values, top(r, n - 1), n * sizeof *values);
  r->stack.n -= n;
  status = push_object(r, PICKLE_TUPLE);
  return status == DLC_OK ? add_elements(r, top(r, 0)->as.object, values, n) : status;
}

static dlc_status push_marked_tuple(reader *r)
{
  const pickle_value *values = NULL;
  uint32_t n = 0;
  dlc_status status = pop_to_mark(r, &values, &n);
  if (status != DLC_OK) return status;
  /* The tuple takes the mark's place, just below its elements. */
  status = push_object(r, PICKLE_TUPLE);
  return status == DLC_OK ? add_elements(r, top(r, 0)->as.object, values, n) : status;
}

/* What a list or dictionary is to be added to: the value on top of the stack. */
static dlc_status target(reader *r, uint32_t type, pickle_object **object)
{
  dlc_status status = need(r, 1);
  if (status != DLC_OK) return status;
  if (top(r, 0)->type != type)
    return refuse(r, "on %s, expected %s", pickle_type_name(top(r, 0)),
                  type == PICKLE_LIST ? "a list" : "a dictionary");
  *object = top(r, 0)->as.object;
  return DLC_OK;
}

static dlc_status append(reader *r, const pickle_value *values, uint32_t n)
{
  pickle_object *list = NULL;
  dlc_status status = target(r, PICKLE_LIST, &list);
  return status == DLC_OK ? add_elements(r, list, values, n) : status;
}

static dlc_status set(reader *r, const pickle_value *values, uint32_t n)
{
  pickle_object *dict = NULL;
  dlc_status status = target(r, PICKLE_DICT, &dict);
  if (status != DLC_OK) return status;
  if (n % 2) return refuse(r, "a key without a value");
  for (uint32_t i = 0; i < n; i += 2)
    if (values[i].type != PICKLE_BYTES && values[i].type != PICKLE_TEXT)
      return refuse(r, "a key is %s, expected a string", pickle_type_name(&values[i]));
  return add_elements(r, dict, values, n);
}

typedef dlc_status adder(reader *r, const pickle_value *values, uint32_t n);

static dlc_status add_marked(reader *r, adder *add)
{
  const pickle_value *values = NULL;
  uint32_t n = 0;
  dlc_status status = pop_to_mark(r, &values, &n);
  return status == DLC_OK ? add(r, values, n) : status;
}

/* Adds the n topmost values, which stay where they are while nothing is pushed. */
static dlc_status add_top(reader *r, adder *add, uint32_t n)
{
  dlc_status status = need(r, n + 1);
  if (status != DLC_OK) return status;
  r->stack.n -= n;
  return add(r, r->stack.at + r->stack.n, n);
}

/* ---- the two things of numpy's that may be called ---- */

static int is_number(const pickle_value *v, int64_t number)
{
  return v->type == PICKLE_INT && v->as.number == number;
}

static int is_global(const pickle_value *v, int which)
{
  return v->type == PICKLE_GLOBAL && v->as.number == which;
}

static int is_string(const pickle_value *v)
{
  return v->type == PICKLE_BYTES || v->type == PICKLE_TEXT;
}

/* _reconstruct(ndarray, (0,), 'b') and dtype(NAME, 0, 1). */
static dlc_status reduce(reader *r)
{
  dlc_status status = need(r, 2);
  if (status != DLC_OK) return status;
  pickle_value callee = *top(r, 1), args = *top(r, 0);
  if (args.type != PICKLE_TUPLE || args.as.object->elements.n != 3)
    return refuse(r, "only numpy's _reconstruct and dtype with three arguments are accepted");
  const pickle_value *a = args.as.object->elements.at;
  r->stack.n -= 2;
  if (is_global(&callee, GLOBAL_DTYPE) && is_string(&a[0]) && is_number(&a[1], 0) && is_number(&a[2], 1))
    return push(r, (pickle_value){.type = PICKLE_DTYPE, .n = a[0].n, .as.bytes = a[0].as.bytes});
  if (is_global(&callee, GLOBAL_RECONSTRUCT) && is_global(&a[0], GLOBAL_NDARRAY) && a[1].type == PICKLE_TUPLE &&
      a[1].as.object->elements.n == 1 && is_number(&a[1].as.object->elements.at[0], 0) && pickle_is(&a[2], "b"))
    return push_object(r, PICKLE_ARRAY);
  return refuse(r, "only _reconstruct(ndarray, (0,), 'b') and dtype(NAME, 0, 1) of numpy are accepted");
}

/* (3, BYTE ORDER, None, None, None, -1, -1, 0): of a type of plain numbers. The byte order says nothing about bytes. */
static dlc_status build_dtype(reader *r, const pickle_values *state)
{
  const pickle_value *s = state->at;
  if (state->n == 8 && is_number(&s[0], 3) && is_string(&s[1]) && s[2].type == PICKLE_NONE &&
      s[3].type == PICKLE_NONE && s[4].type == PICKLE_NONE && is_number(&s[5], -1) && is_number(&s[6], -1) &&
      is_number(&s[7], 0))
    return DLC_OK;
  return refuse(r, "not the state of a numpy dtype of plain numbers");
}

/* (1, SHAPE, DTYPE, FORTRAN ORDER, BYTES) */
static dlc_status build_array(reader *r, pickle_object *array, const pickle_values *state)
{
  const pickle_value *s = state->at;
  if (state->n != 5 || !is_number(&s[0], 1) || s[1].type != PICKLE_TUPLE || s[2].type != PICKLE_DTYPE ||
      s[3].type != PICKLE_BOOL || s[4].type != PICKLE_BYTES)
    return refuse(r, "not the state of a numpy array of numbers");
  const pickle_values *shape = &s[1].as.object->elements;
  for (uint32_t i = 0; i < shape->n; i++)
    if (shape->at[i].type != PICKLE_INT)
      return refuse(r, "%s in the shape of an array", pickle_type_name(&shape->at[i]));
  if (array->shape.type != PICKLE_UNSET) return refuse(r, "the array already has its state");
  array->shape = s[1];
  array->dtype = s[2];
  array->fortran = s[3];
  array->data = s[4];
  return DLC_OK;
}

static dlc_status build(reader *r)
{
  dlc_status status = need(r, 2);
  if (status != DLC_OK) return status;
  pickle_value object = *top(r, 1), state = *top(r, 0);
  if (state.type != PICKLE_TUPLE) return refuse(r, "a state that is %s", pickle_type_name(&state));
  r->stack.n--;
  if (object.type == PICKLE_DTYPE) return build_dtype(r, &state.as.object->elements);
  if (object.type == PICKLE_ARRAY) return build_array(r, object.as.object, &state.as.object->elements);
  return refuse(r, "the state of %s, expected a numpy array or dtype", pickle_type_name(&object));
}

/* ---- the machine ---- */

static dlc_status stop(reader *r)
{
  dlc_status status = need(r, 1);
  if (status != DLC_OK) return status;
  if (r->stack.n != 1) return refuse(r, "%u values on the stack, expected 1", r->stack.n);
  if (r->at != r->end) return refuse(r, "%zu more bytes follow the end of the pickle", (size_t)(r->end - r->at));
  r->p->root = *top(r, 0);
  return DLC_END;
}

static dlc_status step(reader *r)
{
  switch (*r->op) {
  case 0x80: return check_protocol(r);
  case 'N': return push_simple(r, PICKLE_NONE, 0);
  case 0x88: return push_simple(r, PICKLE_BOOL, 1);
  case 0x89: return push_simple(r, PICKLE_BOOL, 0);
  case 'K': return push_number(r, 1);
  case 'M': return push_number(r, 2);
  case 'J': return push_number(r, 4);
  case 0x8a: return push_long(r);
  case 'U': return push_string(r, PICKLE_BYTES, 1);
  case 'T': return push_string(r, PICKLE_BYTES, 4);
  case 'X': return push_string(r, PICKLE_TEXT, 4);
  case '(': return push_mark(r);
  case ')': return push_tuple(r, 0);
  case 0x85: return push_tuple(r, 1);
  case 0x86: return push_tuple(r, 2);
  case 0x87: return push_tuple(r, 3);
  case 't': return push_marked_tuple(r);
  case ']': return push_object(r, PICKLE_LIST);
  case 'a': return add_top(r, append, 1);
  case 'e': return add_marked(r, append);
  case '}': return push_object(r, PICKLE_DICT);
  case 's': return add_top(r, set, 2);
  case 'u': return add_marked(r, set);
  case 'q': return put(r, 1);
  case 'r': return put(r, 4);
  case 'h': return get(r, 1);
  case 'j': return get(r, 4);
  case 'c': return push_global(r);
  case 'R': return reduce(r);
  case 'b': return build(r);
  case '.': return stop(r);
  default: return refuse_opcode(r);
  }
}

dlc_status pickle_read(pickle *p, const uint8_t *bytes, size_t n)
{
  memset(p, 0, sizeof *p);
  reader r = {.p = p, .begin = bytes, .at = bytes, .end = bytes + n};
  dlc_status status = DLC_OK;
  while (status == DLC_OK && r.at < r.end) {
    r.op = r.at++;
    status = step(&r);
  }
  free(r.stack.at);
  free(r.memo.at);
  if (status != DLC_OK) return status == DLC_END ? DLC_OK : status;
  snprintf(p->why, sizeof p->why, "the file ends at offset %zu without STOP", n);
  return DLC_INVALID;
}

void pickle_free(pickle *p)
{
  while (p->objects) {
    pickle_object *o = p->objects;
    p->objects = o->next;
    free(o->elements.at);
    free(o);
  }
}

int pickle_is(const pickle_value *value, const char *text)
{
  return is_string(value) && value->n == strlen(text) && memcmp(value->as.bytes, text, value->n) == 0;
}

const pickle_value *pickle_get(const pickle_value *dict, const char *key)
{
  const pickle_values *pairs = &dict->as.object->elements;
  for (uint32_t i = pairs->n; i > 0; i -= 2)
    if (pickle_is(&pairs->at[i - 2], key)) return &pairs->at[i - 1];
  return NULL;
}
