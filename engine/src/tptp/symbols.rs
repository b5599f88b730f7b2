//! Interning, and the translation between names and their quoted spellings.

use std::borrow::Cow;
use std::collections::HashSet;

use super::ast::Symbol;

/// The names of a problem, each allocated once.
#[derive(Default)]
pub(super) struct SymbolTable(HashSet<Symbol>);

impl SymbolTable {
    /// The one symbol of this name.
    pub(super) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(symbol) = self.0.get(name) {
            return symbol.clone();
        }
        let symbol = Symbol::new(name);
        self.0.insert(symbol.clone());
        symbol
    }

    /// The symbol of a name spelled with single quotes.
    pub(super) fn intern_quoted(&mut self, spelling: &str) -> Symbol {
        let content = unescape(spelling);
        self.intern(&name_of_content(&content))
    }
}

/// What stands between the quotes, with `\'` and `\\` resolved.
pub(super) fn unescape(spelling: &str) -> Cow<'_, str> {
    let content = &spelling[1..spelling.len() - 1];
    if !content.contains('\\') {
        return Cow::Borrowed(content);
    }
    let mut resolved = String::with_capacity(content.len());
    let mut characters = content.chars();
    while let Some(character) = characters.next() {
        resolved.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(resolved)
}

/// The name of a quoted spelling with this content. `'$a'` is not `$a`, so it keeps its quotes;
/// a content that itself begins with a quote keeps them too, so that no two spellings meet in one name.
pub(super) fn name_of_content(content: &str) -> Cow<'_, str> {
    if content.starts_with(['$', '\'']) { Cow::Owned(quoted(content)) } else { Cow::Borrowed(content) }
}

/// How a functor, a predicate or the name of a formula is spelled in a file: in quotes unless it needs none.
pub(super) fn spelling(name: &str) -> Cow<'_, str> {
    let plain = match name.as_bytes() {
        [b'\'', ..] => true,
        [b'$', b'$', rest @ ..] | [b'$', rest @ ..] => is_lower_word(rest),
        bytes => is_lower_word(bytes),
    };
    if plain { Cow::Borrowed(name) } else { Cow::Owned(quoted(name)) }
}

fn is_lower_word(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn quoted(content: &str) -> String {
    let mut spelling = String::with_capacity(content.len() + 2);
    spelling.push('\'');
    for character in content.chars() {
        if matches!(character, '\'' | '\\') {
            spelling.push('\\');
        }
        spelling.push(character);
    }
    spelling.push('\'');
    spelling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_symbol() {
        let mut table = SymbolTable::default();
        assert_eq!(table.intern("a"), table.intern_quoted("'a'"));
        assert_ne!(table.intern("$a"), table.intern_quoted("'$a'"));
        assert_ne!(table.intern_quoted("'$a'"), table.intern_quoted(r"'\'$a\''"));
    }

    #[test]
    fn spellings_lead_back_to_their_names() {
        for spelled in ["a", "'A'", "'a b'", r"'it\'s'", r"'\\'", "'$a'", r"'\'a'", "$a", "$$a", "'1'", "'é'"] {
            let mut table = SymbolTable::default();
            let name = if spelled.starts_with('\'') { table.intern_quoted(spelled) } else { table.intern(spelled) };
            assert_eq!(spelling(&name), spelled);
        }
    }
}
