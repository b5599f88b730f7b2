/* The C face of Porism. SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef PORISM_H
#define PORISM_H

/* Written by cbindgen from bindings/c/src. To renew it: PORISM_WRITE_HEADER=1 cargo test -p porism-capi --test header */

#include <stddef.h>
#include <stdint.h>

/**
 * The version of the functions in `porism.h`. It grows when one of them changes in a way that old callers notice.
 */
#define PORISM_ABI_VERSION 1

/**
 * How a call ended. New values may be added; treat an unknown one as a failure.
 */
enum porism_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The call did what it says.
     */
    PORISM_STATUS_OK = 0,
    /**
     * An argument cannot be used: a null pointer, or text that is not UTF-8.
     */
    PORISM_STATUS_INVALID_ARGUMENT = 1,
    /**
     * The text breaks the rules of its language, or goes beyond a limit.
     */
    PORISM_STATUS_PARSE_ERROR = 2,
    /**
     * A bug in Porism. The call had no effect that can be relied on; other calls keep working.
     */
    PORISM_STATUS_PANIC = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum porism_status porism_status;
#else
typedef int32_t porism_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Why a call failed. Owned by the caller, who frees it with `porism_error_free`. It may be read from any thread.
 */
typedef struct porism_error porism_error;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The message of `error`: one NUL-terminated UTF-8 text that lives until `error` is freed. Empty for NULL.
 *
 * # Safety
 *
 * `error` is NULL, or came from a call of this library and has not been freed.
 */
const char *porism_error_message(const porism_error *error);

/**
 * Frees `error`. NULL is allowed and does nothing.
 *
 * # Safety
 *
 * `error` is NULL, or came from a call of this library and has not been freed. It is not used afterwards.
 */
void porism_error_free(porism_error *error);

/**
 * Reads `length` bytes of TPTP (`fof` and `cnf`), and counts the annotated formulas in them.
 *
 * An `include` in the text is followed: files are looked for in the current folder, then in the one that the
 * environment variable `TPTP` names. Size, depth and number of formulas are bounded.
 *
 * `formulas` may be NULL, when only the status matters; it is written on success alone. `error` may be NULL, when
 * only the status matters; otherwise `*error` is set on every call: to NULL on success, to a new error on failure.
 *
 * # Safety
 *
 * `start` is NULL with a `length` of 0, or points at `length` readable bytes that no other thread changes during
 * the call. They need no NUL at their end. `formulas` and `error` are NULL or point at writable room for one value.
 */
porism_status porism_check_tptp(const char *start,
                                size_t length,
                                size_t *formulas,
                                porism_error **error);

/**
 * The version of this library, such as `0.1.0`: a static NUL-terminated text.
 */
const char *porism_version(void);

/**
 * `PORISM_ABI_VERSION` of the library that runs; compare it with the one in the header that was compiled against.
 */
uint32_t porism_abi_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PORISM_H */
