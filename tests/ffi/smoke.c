/* Uses every function of porism.h from plain C. Compiled and run by bindings/c/tests/smoke.rs, which passes the version. */

#include <stdio.h>
#include <string.h>

#include "porism/porism.h"

static int failures = 0;

static void expect(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "smoke.c: %s\n", what);
        failures++;
    }
}

int main(int argc, char **argv) {
    static const char good[] = "fof(a, axiom, p(c)).\nfof(g, conjecture, ?[X]: p(X)).\n";
    static const char bad[] = "fof(a, axiom, p(c).\n";
    static const char not_text[] = "fof(a, axiom, \xff).";
    size_t formulas = 99;
    porism_error *error = NULL;
    porism_status status;

    expect(argc == 2 && strcmp(porism_version(), argv[1]) == 0, "the version is not the one that was built");
    expect(porism_abi_version() == PORISM_ABI_VERSION, "the header and the library disagree");

    status = porism_check_tptp(good, strlen(good), &formulas, &error);
    expect(status == PORISM_STATUS_OK, porism_error_message(error));
    expect(formulas == 2, "two formulas were expected");
    expect(error == NULL, "success leaves no error");

    formulas = 99;
    status = porism_check_tptp(bad, strlen(bad), &formulas, &error);
    expect(status == PORISM_STATUS_PARSE_ERROR, "a missing bracket is a parse error");
    expect(formulas == 99, "failure leaves the count alone");
    expect(error != NULL && strlen(porism_error_message(error)) > 0, "an error has a message");
    porism_error_free(error);

    status = porism_check_tptp(not_text, sizeof not_text - 1, NULL, &error);
    expect(status == PORISM_STATUS_INVALID_ARGUMENT, "bytes that are not UTF-8 are refused");
    porism_error_free(error);

    status = porism_check_tptp(NULL, 1, NULL, NULL);
    expect(status == PORISM_STATUS_INVALID_ARGUMENT, "NULL with a length is refused");
    expect(porism_check_tptp(NULL, 0, NULL, NULL) == porism_check_tptp("", 0, NULL, NULL), "NULL of length 0 is no text");

    expect(strcmp(porism_error_message(NULL), "") == 0, "NULL has an empty message");
    porism_error_free(NULL);

    if (failures == 0) {
        puts("smoke.c: every call did what porism.h says");
    }
    return failures != 0;
}
