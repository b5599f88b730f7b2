//! The rules of Metamath once more: plainly, slowly, and sharing nothing with the fast engine but the names of verdicts.
//!
//! Everything is a list of tokens, a map or a set, and every expression is copied whole. This is what the fast engine is compared
//! with, and what runs beside it when a caller is paranoid.

use std::collections::{HashMap, HashSet};

/// What became of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It proves its theorem.
    Accepted,
    /// It does not, for this reason.
    Rejected(String),
    /// It says `?` somewhere, and is right up to there.
    Incomplete,
    /// Its expressions grew beyond what this checker is willing to copy.
    GaveUp,
}

/// Finds the text of an included file by its name; `None` if there is none.
pub type Include<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// The label of each theorem of the database with what became of its proof; or why this is no database.
pub fn check(text: &[u8], include: Include<'_>) -> Result<Vec<(String, Outcome)>, String> {
    let mut state = State::default();
    let mut seen = HashSet::new();
    state.file(text, include, &mut seen)?;
    Ok(state.outcomes)
}

/// How many symbols one proof may make.
const MAX_SYMBOLS: usize = 20_000_000;

type Token = Vec<u8>;
type Expression = Vec<Token>;

#[derive(Clone, Debug)]
enum Hypothesis {
    Floating { label: Token, typecode: Token, variable: Token },
    Essential { label: Token, expression: Expression },
}

impl Hypothesis {
    fn label(&self) -> &Token {
        match self {
            Self::Floating { label, .. } | Self::Essential { label, .. } => label,
        }
    }

    fn expression(&self) -> Expression {
        match self {
            Self::Floating { typecode, variable, .. } => vec![typecode.clone(), variable.clone()],
            Self::Essential { expression, .. } => expression.clone(),
        }
    }
}

#[derive(Clone, Debug)]
struct Assertion {
    hypotheses: Vec<Hypothesis>,
    disjoint: HashSet<(Token, Token)>,
    conclusion: Expression,
}

#[derive(Default)]
struct Scope {
    variables: Vec<Token>,
    hypotheses: Vec<Hypothesis>,
    disjoint: Vec<(Token, Token)>,
}

#[derive(Default)]
struct State {
    constants: HashSet<Token>,
    /// Every variable that was ever declared.
    variables: HashSet<Token>,
    labels: HashSet<Token>,
    assertions: HashMap<Token, Assertion>,
    /// The scopes inside the outermost one.
    scopes: Vec<Scope>,
    outermost: Scope,
    outcomes: Vec<(String, Outcome)>,
}

impl State {
    fn file(&mut self, text: &[u8], include: Include<'_>, seen: &mut HashSet<String>) -> Result<(), String> {
        let tokens = tokenize(text)?;
        let mut at = 0;
        while at < tokens.len() {
            let mut label = None;
            if !tokens[at].starts_with(b"$") {
                label = Some(tokens[at].clone());
                at += 1;
            }
            let keyword = tokens.get(at).ok_or("the file ends behind a label")?.clone();
            at += 1;
            let mut until = |end: &[u8]| -> Result<Vec<Token>, String> {
                let length = tokens[at..].iter().position(|token| token == end).ok_or("a statement does not end")?;
                let found = tokens[at..at + length].to_vec();
                if found.iter().any(|token| token.contains(&b'$')) {
                    return Err("a dollar sign inside a statement".to_owned());
                }
                at += length + 1;
                Ok(found)
            };
            match (keyword.as_slice(), label) {
                (b"${", None) => self.scopes.push(Scope::default()),
                (b"$}", None) => drop(self.scopes.pop().ok_or("a scope ends that did not begin")?),
                (b"$c", None) => self.constants(&until(b"$.")?)?,
                (b"$v", None) => self.declare(&until(b"$.")?)?,
                (b"$d", None) => self.disjoint(&until(b"$.")?)?,
                (b"$f", Some(label)) => self.floating(label, &until(b"$.")?)?,
                (b"$e", Some(label)) => self.essential(label, until(b"$.")?)?,
                (b"$a", Some(label)) => {
                    let expression = until(b"$.")?;
                    let assertion = self.assertion(&label, expression)?;
                    self.assertions.insert(label, assertion);
                }
                (b"$p", Some(label)) => {
                    let expression = until(b"$=")?;
                    let proof = until(b"$.")?;
                    let assertion = self.assertion(&label, expression)?;
                    let outcome = match self.prove(&assertion, &proof) {
                        Ok(()) => Outcome::Accepted,
                        Err(outcome) => outcome,
                    };
                    self.outcomes.push((String::from_utf8_lossy(&label).into_owned(), outcome));
                    self.assertions.insert(label, assertion);
                }
                (b"$[", None) => {
                    let name = until(b"$]")?;
                    let [name] = name.as_slice() else { return Err("an inclusion needs one name".to_owned()) };
                    if name.contains(&b'$') || !self.scopes.is_empty() {
                        return Err("an inclusion is misplaced".to_owned());
                    }
                    let name = String::from_utf8_lossy(name).into_owned();
                    let text = include(&name).ok_or("an included file is missing")?;
                    if seen.insert(name) {
                        self.file(&text, include, seen)?;
                    }
                }
                _ => return Err(format!("'{}' may not stand here", String::from_utf8_lossy(&keyword))),
            }
        }
        if self.scopes.is_empty() { Ok(()) } else { Err("a scope does not end".to_owned()) }
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().unwrap_or(&mut self.outermost)
    }

    fn active(&self) -> impl Iterator<Item = &Scope> {
        std::iter::once(&self.outermost).chain(&self.scopes)
    }

    fn is_active_variable(&self, token: &Token) -> bool {
        self.active().any(|scope| scope.variables.contains(token))
    }

    fn is_typed(&self, token: &Token) -> bool {
        let types =
            |hypothesis: &Hypothesis| matches!(hypothesis, Hypothesis::Floating { variable, .. } if variable == token);
        self.active().any(|scope| scope.hypotheses.iter().any(types))
    }

    fn new_symbol(&self, token: &Token) -> Result<(), String> {
        if token.contains(&b'$') {
            return Err("a symbol contains a dollar sign".to_owned());
        }
        if self.constants.contains(token) || self.labels.contains(token) {
            return Err("a symbol is declared already".to_owned());
        }
        Ok(())
    }

    fn constants(&mut self, tokens: &[Token]) -> Result<(), String> {
        if tokens.is_empty() || !self.scopes.is_empty() {
            return Err("constants are declared wrongly".to_owned());
        }
        for token in tokens {
            self.new_symbol(token)?;
            if self.variables.contains(token) {
                return Err("a constant was a variable before".to_owned());
            }
            self.constants.insert(token.clone());
        }
        Ok(())
    }

    fn declare(&mut self, tokens: &[Token]) -> Result<(), String> {
        if tokens.is_empty() {
            return Err("no variable is declared".to_owned());
        }
        for token in tokens {
            self.new_symbol(token)?;
            if self.is_active_variable(token) {
                return Err("a variable is declared twice".to_owned());
            }
            self.variables.insert(token.clone());
            self.scope().variables.push(token.clone());
        }
        Ok(())
    }

    fn disjoint(&mut self, tokens: &[Token]) -> Result<(), String> {
        let different: HashSet<&Token> = tokens.iter().collect();
        let variables = tokens.iter().all(|token| self.is_active_variable(token));
        if tokens.len() < 2 || different.len() < tokens.len() || !variables {
            return Err("disjoint variables are two or more different active ones".to_owned());
        }
        for (position, one) in tokens.iter().enumerate() {
            for other in &tokens[position + 1..] {
                self.scope().disjoint.push(pair(one, other));
            }
        }
        Ok(())
    }

    fn new_label(&mut self, label: &Token) -> Result<(), String> {
        let well_formed = label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
        let symbol = self.constants.contains(label) || self.variables.contains(label);
        if !well_formed || symbol || !self.labels.insert(label.clone()) {
            return Err(format!("the label '{}' cannot be had", String::from_utf8_lossy(label)));
        }
        Ok(())
    }

    fn floating(&mut self, label: Token, tokens: &[Token]) -> Result<(), String> {
        let [typecode, variable] = tokens else { return Err("a type is a constant and a variable".to_owned()) };
        if !self.constants.contains(typecode) || !self.is_active_variable(variable) || self.is_typed(variable) {
            return Err("a variable is typed wrongly".to_owned());
        }
        self.new_label(&label)?;
        let (typecode, variable) = (typecode.clone(), variable.clone());
        self.scope().hypotheses.push(Hypothesis::Floating { label, typecode, variable });
        Ok(())
    }

    fn check_expression(&self, expression: &Expression) -> Result<(), String> {
        let first = expression.first().ok_or("an expression is empty")?;
        if !self.constants.contains(first) {
            return Err("an expression does not begin with a constant".to_owned());
        }
        let fine =
            |token: &Token| self.constants.contains(token) || self.is_active_variable(token) && self.is_typed(token);
        if expression.iter().all(fine) {
            Ok(())
        } else {
            Err("an expression has a symbol that is not active".to_owned())
        }
    }

    fn essential(&mut self, label: Token, expression: Expression) -> Result<(), String> {
        self.check_expression(&expression)?;
        self.new_label(&label)?;
        self.scope().hypotheses.push(Hypothesis::Essential { label, expression });
        Ok(())
    }

    fn assertion(&mut self, label: &Token, conclusion: Expression) -> Result<Assertion, String> {
        self.check_expression(&conclusion)?;
        self.new_label(label)?;
        let all: Vec<&Hypothesis> = self.active().flat_map(|scope| &scope.hypotheses).collect();
        let mut mandatory: HashSet<&Token> =
            conclusion.iter().filter(|token| self.variables.contains(*token)).collect();
        for hypothesis in &all {
            if let Hypothesis::Essential { expression, .. } = hypothesis {
                mandatory.extend(expression.iter().filter(|token| self.variables.contains(*token)));
            }
        }
        let needed = |hypothesis: &&&Hypothesis| match hypothesis {
            Hypothesis::Floating { variable, .. } => mandatory.contains(variable),
            Hypothesis::Essential { .. } => true,
        };
        let hypotheses = all.iter().filter(needed).map(|&hypothesis| hypothesis.clone()).collect();
        let both = |(one, other): &&(Token, Token)| mandatory.contains(one) && mandatory.contains(other);
        let disjoint = self.active().flat_map(|scope| &scope.disjoint).filter(both).cloned().collect();
        Ok(Assertion { hypotheses, disjoint, conclusion })
    }

    fn prove(&self, theorem: &Assertion, proof: &[Token]) -> Result<(), Outcome> {
        let mut machine = Machine { state: self, stack: Vec::new(), made: 0 };
        match proof.first().map(Vec::as_slice) {
            Some(b"(") => machine.compressed(theorem, &proof[1..])?,
            _ => {
                for label in proof {
                    machine.label(label)?;
                }
            }
        }
        match machine.stack.as_slice() {
            [only] if *only == theorem.conclusion => Ok(()),
            [_] => Err(reject("something else is proved")),
            _ => Err(reject("the stack does not end with one expression")),
        }
    }
}

fn reject(reason: &str) -> Outcome {
    Outcome::Rejected(reason.to_owned())
}

fn pair(one: &Token, other: &Token) -> (Token, Token) {
    if one < other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) }
}

struct Machine<'a> {
    state: &'a State,
    stack: Vec<Expression>,
    made: usize,
}

impl Machine<'_> {
    fn push(&mut self, expression: Expression) -> Result<(), Outcome> {
        self.made += expression.len();
        self.stack.push(expression);
        if self.made > MAX_SYMBOLS { Err(Outcome::GaveUp) } else { Ok(()) }
    }

    fn label(&mut self, label: &Token) -> Result<(), Outcome> {
        if label == b"?" {
            return Err(Outcome::Incomplete);
        }
        let active = self.state.active().flat_map(|scope| &scope.hypotheses);
        if let Some(hypothesis) = active.into_iter().find(|hypothesis| hypothesis.label() == label) {
            return self.push(hypothesis.expression());
        }
        let assertion = self.state.assertions.get(label).ok_or_else(|| reject("an unknown label"))?;
        self.apply(assertion)
    }

    fn apply(&mut self, assertion: &Assertion) -> Result<(), Outcome> {
        let base =
            self.stack.len().checked_sub(assertion.hypotheses.len()).ok_or_else(|| reject("too few hypotheses"))?;
        let given = self.stack.split_off(base);
        let mut substitution: HashMap<&Token, &[Token]> = HashMap::new();
        for (given, hypothesis) in given.iter().zip(&assertion.hypotheses) {
            if let Hypothesis::Floating { typecode, variable, .. } = hypothesis {
                if given[0] != *typecode {
                    return Err(reject("a wrong typecode"));
                }
                substitution.insert(variable, &given[1..]);
            }
        }
        let replace = |expression: &Expression| -> Result<Expression, Outcome> {
            let mut replaced = Vec::new();
            for token in expression {
                match substitution.get(token) {
                    Some(with) => replaced.extend_from_slice(with),
                    None => replaced.push(token.clone()),
                }
                if replaced.len() > MAX_SYMBOLS {
                    return Err(Outcome::GaveUp);
                }
            }
            Ok(replaced)
        };
        for (given, hypothesis) in given.iter().zip(&assertion.hypotheses) {
            if let Hypothesis::Essential { expression, .. } = hypothesis
                && replace(expression)? != *given
            {
                return Err(reject("a hypothesis is not met"));
            }
        }
        let declared: HashSet<&(Token, Token)> = self.state.active().flat_map(|scope| &scope.disjoint).collect();
        let variables = |token: &Token| -> HashSet<&Token> {
            let with = substitution.get(token).copied().unwrap_or_default();
            with.iter().filter(|token| self.state.variables.contains(*token)).collect()
        };
        for (one, other) in &assertion.disjoint {
            for left in variables(one) {
                for right in variables(other) {
                    if left == right || !declared.contains(&pair(left, right)) {
                        return Err(reject("variables are not disjoint"));
                    }
                }
            }
        }
        let conclusion = replace(&assertion.conclusion)?;
        self.push(conclusion)
    }

    fn compressed(&mut self, theorem: &Assertion, proof: &[Token]) -> Result<(), Outcome> {
        let roster =
            proof.iter().position(|token| token == b")").ok_or_else(|| reject("the list of labels does not end"))?;
        let mandatory: Vec<&Token> = theorem.hypotheses.iter().map(Hypothesis::label).collect();
        let listed = &proof[..roster];
        for label in listed {
            let hypothesis =
                self.state.active().flat_map(|scope| &scope.hypotheses).any(|known| known.label() == label);
            if mandatory.contains(&label) || !hypothesis && !self.state.assertions.contains_key(label) {
                return Err(reject("a label is listed that may not be"));
            }
        }
        let labels: Vec<&Token> = mandatory.into_iter().chain(listed).collect();
        let mut saved: Vec<Expression> = Vec::new();
        let (mut digits, mut can_save) = (Vec::new(), false);
        for &letter in proof[roster + 1..].iter().flatten() {
            match letter {
                b'A'..=b'T' => {
                    let high = digits.drain(..).try_fold(0_u128, |high: u128, digit: u8| {
                        high.checked_mul(5)?.checked_add(u128::from(digit - b'U') + 1)
                    });
                    let number = high.and_then(|high| high.checked_mul(20)?.checked_add(u128::from(letter - b'A')));
                    let number = number.and_then(|number| usize::try_from(number).ok());
                    let number = number.ok_or_else(|| reject("a number is too large"))?;
                    match (labels.get(number), number.checked_sub(labels.len()).and_then(|number| saved.get(number))) {
                        (Some(label), _) => self.label(label)?,
                        (None, Some(expression)) => self.push(expression.clone())?,
                        (None, None) => return Err(reject("a number refers to nothing")),
                    }
                    can_save = true;
                }
                b'U'..=b'Y' => digits.push(letter),
                b'Z' if can_save && digits.is_empty() => {
                    saved.extend(self.stack.last().cloned());
                    can_save = false;
                }
                b'?' if digits.is_empty() => return Err(Outcome::Incomplete),
                _ => return Err(reject("a letter that means nothing here")),
            }
        }
        if digits.is_empty() { Ok(()) } else { Err(reject("a number does not end")) }
    }
}

/// The tokens of a file without its comments.
fn tokenize(text: &[u8]) -> Result<Vec<Token>, String> {
    let allowed = |byte: &u8| matches!(byte, b'!'..=b'~' | b' ' | b'\t' | b'\r' | b'\n' | 0x0c);
    if !text.iter().all(allowed) {
        return Err("a byte that may not be".to_owned());
    }
    let (mut tokens, mut comment) = (Vec::new(), false);
    for token in text.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()) {
        match (token, comment) {
            (b"$(", true) => return Err("comments do not nest".to_owned()),
            (b"$)", false) => return Err("a comment ends that did not begin".to_owned()),
            (b"$(", false) => comment = true,
            (b"$)", true) => comment = false,
            (_, true) => {}
            (_, false) => tokens.push(token.to_vec()),
        }
    }
    if comment { Err("a comment does not end".to_owned()) } else { Ok(tokens) }
}
