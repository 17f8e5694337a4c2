/* A restricted reader of Python pickles: a small stack machine that knows the opcodes of protocol 2 that plain data and
 * numpy arrays of bytes are made of, and refuses all others. It calls nothing and imports nothing: what a pickle asks
 * to be called is compared with two numpy patterns and becomes a typed record. It knows no files; it reads a buffer,
 * and strings and pixels stay where they lie in it. [any]
 *
 * Format: Python's Lib/pickletools.py; the numpy patterns are what ndarray.__reduce__ writes. */
#ifndef CIFAR_PICKLE_H
#define CIFAR_PICKLE_H
#include <dlcore/plugin.h>

enum {
  PICKLE_MAX_STACK = 65536,
  PICKLE_MAX_MARKS = 64,        /* open at once */
  PICKLE_MAX_MEMO = 1 << 20,    /* the largest index */
  PICKLE_MAX_OBJECTS = 4096,    /* lists, tuples, dictionaries, arrays */
  PICKLE_MAX_ELEMENTS = 1 << 22 /* in all of them together */
};

enum {
  PICKLE_UNSET, /* a memo entry that was never written */
  PICKLE_NONE,
  PICKLE_BOOL,
  PICKLE_INT,
  PICKLE_BYTES, /* Python 2's str */
  PICKLE_TEXT,  /* unicode, as UTF-8 that nobody has checked */
  PICKLE_TUPLE,
  PICKLE_LIST,
  PICKLE_DICT,
  PICKLE_ARRAY,  /* numpy.ndarray */
  PICKLE_DTYPE,  /* numpy.dtype: its name */
  PICKLE_GLOBAL, /* one of the functions and classes known by name */
  PICKLE_MARK
};

typedef struct pickle_object pickle_object;

typedef struct pickle_value {
  uint32_t type;
  uint32_t n; /* BYTES, TEXT, DTYPE: length */
  union {
    int64_t number;       /* INT, BOOL, GLOBAL */
    const uint8_t *bytes; /* BYTES, TEXT, DTYPE: in the buffer that is read */
    pickle_object *object;
  } as;
} pickle_value;

typedef struct pickle_values {
  pickle_value *at; /* owned */
  uint32_t n, room;
} pickle_values;

/* What values refer to. Objects may refer to each other in circles: walk them one known level at a time. */
struct pickle_object {
  pickle_object *next;    /* of all objects of the pickle */
  pickle_values elements; /* TUPLE, LIST; DICT: key, value, key, value ... where keys are BYTES or TEXT */
  /* ARRAY, of type UNSET before its state came: DTYPE, TUPLE of INT, BOOL, BYTES. Nothing about their meaning has been
   * checked. */
  pickle_value dtype, shape, fortran, data;
};

typedef struct pickle {
  pickle_value root;
  pickle_object *objects; /* owned */
  char why[256];          /* after a failure: one line, with opcode and offset */
} pickle;

/* Reads the `n` bytes, which must be one pickle and nothing else and must outlive *p. DLC_INVALID or DLC_NOMEM leave a
 * reason in p->why. pickle_free() in either case. */
dlc_status pickle_read(pickle *p, const uint8_t *bytes, size_t n);
void pickle_free(pickle *p);

/* What a dictionary holds under `key`, or NULL. As in Python, the last of equal keys counts. */
const pickle_value *pickle_get(const pickle_value *dict, const char *key);

/* Whether a value is the string `text`. */
int pickle_is(const pickle_value *value, const char *text);

/* "a list", for messages. */
const char *pickle_type_name(const pickle_value *value);

/* opcodes.c: the name of an opcode of any protocol, or NULL. */
const char *pickle_opcode_name(uint8_t opcode);

#endif
