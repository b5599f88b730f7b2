//! The stable names of what can be wrong with a Metamath database or proof.

use std::ops::Range;

use super::super::Code;

/// Declares one constant a code, and the table of them all.
macro_rules! codes {
    ($($name:ident = $text:literal: $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: Code = Code($text);)*
        /// Every code of this format with its meaning, in the order of the documentation.
        pub const ALL: &[(&str, &str)] = &[$(($text, $meaning)),*];
    };
}

codes! {
    BAD_CHARACTER = "bad_character": "a byte that is neither printable ASCII nor white space";
    COMMENT_UNTERMINATED = "comment_unterminated": "a comment that does not end";
    COMMENT_NESTED = "comment_nested": "a comment opens inside a comment";
    COMMENT_STRAY_END = "comment_stray_end": "a comment ends that did not begin";
    UNKNOWN_KEYWORD = "unknown_keyword": "a token with a dollar sign that is no keyword, or stands where it may not";
    STATEMENT_UNTERMINATED = "statement_unterminated": "the file ends inside a statement";
    LABEL_MISSING = "label_missing": "a statement that needs a label has none";
    LABEL_UNEXPECTED = "label_unexpected": "a label stands before what cannot have one";
    LABEL_MALFORMED = "label_malformed": "a label has other characters than letters, digits, '-', '_' and '.'";
    LABEL_REUSED = "label_reused": "a label is declared twice";
    LABEL_IS_SYMBOL = "label_is_symbol": "one token is a label and a math symbol";
    SYMBOL_MALFORMED = "symbol_malformed": "a math symbol contains a dollar sign";
    SYMBOL_REDECLARED = "symbol_redeclared": "a math symbol is declared again where it may not be";
    SYMBOL_UNDECLARED = "symbol_undeclared": "a math symbol is used that was never declared";
    SYMBOL_INACTIVE = "symbol_inactive": "a variable is used outside the scope of its declaration";
    STATEMENT_EMPTY = "statement_empty": "a statement lacks the symbols that it must have";
    CONSTANT_IN_SCOPE = "constant_in_scope": "constants are declared inside a scope";
    TYPECODE_NOT_CONSTANT = "typecode_not_constant": "an expression does not begin with a constant";
    FLOATING_SHAPE = "floating_shape": "a floating hypothesis is not one constant and one variable";
    FLOATING_TWICE = "floating_twice": "a variable has two active floating hypotheses";
    VARIABLE_UNTYPED = "variable_untyped": "a variable has no active floating hypothesis";
    DISJOINT_SHORT = "disjoint_short": "a disjoint statement has fewer than two variables";
    DISJOINT_REPEATED = "disjoint_repeated": "a disjoint statement names a variable twice";
    DISJOINT_CONSTANT = "disjoint_constant": "a disjoint statement names what is no variable";
    SCOPE_UNOPENED = "scope_unopened": "a scope ends that did not begin";
    SCOPE_UNCLOSED = "scope_unclosed": "a scope does not end";
    PROOF_MISSING = "proof_missing": "a provable statement has no proof, or another statement has one";
    INCLUDE_IN_SCOPE = "include_in_scope": "a file is included inside a scope";
    INCLUDE_FORBIDDEN = "include_forbidden": "an included file lies outside the root, or there is no root";
    INCLUDE_UNREADABLE = "include_unreadable": "an included file cannot be read";
    INCLUDE_MALFORMED = "include_malformed": "an inclusion is not one file name between its marks";
    LIMIT = "limit": "the database is larger than the limits allow";
    PROOF_EMPTY = "proof_empty": "a proof has no step";
    PROOF_INCOMPLETE = "proof_incomplete": "a proof has a step that says '?'";
    LABEL_UNKNOWN = "label_unknown": "a proof cites a label that is not declared";
    LABEL_LATER = "label_later": "a proof cites its own theorem or a later statement";
    HYPOTHESIS_INACTIVE = "hypothesis_inactive": "a proof cites a hypothesis outside its scope";
    ROSTER_UNTERMINATED = "roster_unterminated": "the list of labels of a compressed proof does not end";
    ROSTER_MANDATORY = "roster_mandatory": "the list of labels of a compressed proof names a mandatory hypothesis";
    LETTER_MALFORMED = "letter_malformed": "a compressed proof has a character that means nothing";
    NUMBER_OVERFLOW = "number_overflow": "a number of a compressed proof is beyond all measure";
    NUMBER_TRUNCATED = "number_truncated": "a number of a compressed proof does not end";
    NUMBER_OUT_OF_RANGE = "number_out_of_range": "a number of a compressed proof refers to nothing";
    SAVE_MISPLACED = "save_misplaced": "a step is saved where there is none";
    STACK_UNDERFLOW = "stack_underflow": "a step needs more hypotheses than there are";
    TYPECODE_MISMATCH = "typecode_mismatch": "an expression has another typecode than the hypothesis asks for";
    HYPOTHESIS_MISMATCH = "hypothesis_mismatch": "an expression is not what the hypothesis says under the substitution";
    DISJOINT_VIOLATION = "disjoint_violation": "two substitutions share a variable that they must not";
    DISJOINT_MISSING = "disjoint_missing": "two variables must be disjoint and are not declared so";
    STACK_LEFTOVER = "stack_leftover": "a proof ends with more than one expression";
    CONCLUSION_MISMATCH = "conclusion_mismatch": "a proof ends with another expression than it should prove";
    SNAPSHOT_UNREADABLE = "snapshot_unreadable": "a snapshot cannot be read";
    CHECKERS_DISAGREE = "checkers_disagree": "the engine and the reference do not say the same";
}

/// What is wrong, and where in the text; the sentence is the meaning of the code until somebody knows better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub code: Code,
    pub span: Range<usize>,
    pub message: Option<String>,
}

impl Trouble {
    pub(super) fn new(code: Code, span: Range<usize>) -> Self {
        Self { code, span, message: None }
    }

    #[must_use]
    pub(super) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

/// What a code means.
pub(super) fn meaning(code: Code) -> &'static str {
    ALL.iter().find(|(text, _)| *text == code.0).map_or("the certificate is wrong", |(_, meaning)| meaning)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_differ() {
        assert_eq!(ALL.iter().map(|(code, _)| code).collect::<HashSet<_>>().len(), ALL.len());
    }
}
