//! From statements to a library: declarations, scopes and frames, in the order of the text.

use std::ops::Range;
use std::sync::OnceLock;

use super::codes::{self, Trouble};
use super::library::{
    DISJOINT, DISJOINT_LENGTH, END, FRAME, FRAME_LENGTH, HEAD, HYPOTHESIS, KIND, LABEL, LABEL_LENGTH, Library, MATH,
    MATH_LENGTH, NONE, PROOF, PROOF_END, ROSTER, ROW, Row, SPAN, SPAN_END, SYMBOL, TYPECODE, VARIABLE, label,
};
use super::names::{self, Names};
use super::scan::{Chunk, Kind, Raw, narrow_one, next_token, wide};
use super::source::{Limits, Source};
use super::store::{Owned, Store};

/// Reads everything that `source` says.
pub(super) fn build(source: Source, limits: &Limits, threads: usize) -> Result<Library, Box<(Source, Trouble)>> {
    let mut builder = Builder::new(source, *limits, threads);
    match builder.run() {
        Ok(()) => Ok(builder.finish()),
        Err(trouble) => Err(Box::new((builder.source, trouble))),
    }
}

/// What was active when a scope began.
struct Scope {
    place: Range<u32>,
    variables: usize,
    essentials: usize,
    hypotheses: usize,
    head: u32,
}

/// A file that is being worked through.
struct Position {
    chunks: std::vec::IntoIter<Chunk>,
    chunk: Chunk,
    next: usize,
}

struct Builder {
    source: Source,
    limits: Limits,
    threads: usize,
    seed: u64,
    symbol_names: Names,
    /// Start, length and code of each symbol; [`NONE`] while it is not declared.
    symbols: Vec<[u32; SYMBOL]>,
    /// By symbol: whether the variable is active, and its active floating hypothesis.
    active: Vec<bool>,
    floating: Vec<u32>,
    /// By symbol: the last assertion that has it as a mandatory variable.
    stamps: Vec<u32>,
    label_names: Names,
    label_text: Vec<u8>,
    label_ends: Vec<u32>,
    rows: Vec<Row>,
    frames: Vec<[u32; HYPOTHESIS]>,
    math: Vec<u32>,
    disjoint: Vec<u32>,
    groups: Vec<[u32; 3]>,
    members: Vec<u32>,
    head: u32,
    scopes: Vec<Scope>,
    variables: Vec<u32>,
    essentials: Vec<u32>,
    hypotheses: Vec<u32>,
    mandatory: Vec<u32>,
    work: u64,
    /// The symbols of the current chunk, and their codes.
    local: Vec<u32>,
    local_codes: Vec<u32>,
}

impl Builder {
    fn new(source: Source, limits: Limits, threads: usize) -> Self {
        let seed = names::seed();
        Self {
            source,
            limits,
            threads,
            seed,
            symbol_names: Names::new(seed),
            symbols: Vec::new(),
            active: Vec::new(),
            floating: Vec::new(),
            stamps: Vec::new(),
            label_names: Names::new(seed),
            label_text: Vec::new(),
            label_ends: Vec::new(),
            rows: Vec::new(),
            frames: Vec::new(),
            math: Vec::new(),
            disjoint: Vec::new(),
            groups: Vec::new(),
            members: Vec::new(),
            head: NONE,
            scopes: Vec::new(),
            variables: Vec::new(),
            essentials: Vec::new(),
            hypotheses: Vec::new(),
            mandatory: Vec::new(),
            work: 0,
            local: Vec::new(),
            local_codes: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Trouble> {
        let mut open = vec![self.position(0..self.source.text.len())?];
        while let Some(mut file) = open.pop() {
            self.enter(&file.chunk);
            let included = loop {
                let Some(raw) = file.chunk.statements.get(file.next).cloned() else {
                    let Some(chunk) = file.chunks.next() else { break None };
                    (file.chunk, file.next) = (chunk, 0);
                    self.enter(&file.chunk);
                    continue;
                };
                file.next += 1;
                if raw.kind != Kind::Include {
                    self.statement(&raw, &file.chunk)?;
                } else if self.scopes.is_empty() {
                    if let Some(range) = self.source.include(wide(&raw.proof), &self.limits)? {
                        break Some(range);
                    }
                } else {
                    return Err(Trouble::new(codes::INCLUDE_IN_SCOPE, wide(&raw.span)));
                }
            };
            if let Some(range) = included {
                open.push(file);
                open.push(self.position(range)?);
            } else if let Some(scope) = self.scopes.last() {
                return Err(Trouble::new(codes::SCOPE_UNCLOSED, wide(&scope.place)));
            }
        }
        Ok(())
    }

    fn position(&self, range: Range<usize>) -> Result<Position, Trouble> {
        let mut chunks = self.source.scan(range, self.threads, self.seed)?.into_iter();
        let chunk = chunks.next().unwrap_or_default();
        Ok(Position { chunks, chunk, next: 0 })
    }

    /// Prepares the codes of a chunk's symbols.
    fn enter(&mut self, chunk: &Chunk) {
        self.local.clear();
        for name in &chunk.names {
            let next = narrow_one(self.symbols.len());
            let (text, symbols) = (&self.source.text, &self.symbols);
            let name_of = |symbol: u32| named(text, symbols, symbol);
            let (symbol, known) = self.symbol_names.intern(&text[wide(name)], next, name_of);
            if !known {
                self.symbols.push([name.start, name.end - name.start, NONE, NONE]);
                self.active.push(false);
                self.floating.push(NONE);
                self.stamps.push(NONE);
            }
            self.local.push(symbol);
        }
        self.local_codes.clear();
        self.local_codes.extend(self.local.iter().map(|&symbol| self.symbols[symbol as usize][2]));
    }

    fn statement(&mut self, raw: &Raw, chunk: &Chunk) -> Result<(), Trouble> {
        let tokens = &chunk.tokens[wide(&raw.tokens)];
        match raw.kind {
            Kind::Open => self.scopes.push(Scope {
                place: raw.span.clone(),
                variables: self.variables.len(),
                essentials: self.essentials.len(),
                hypotheses: self.hypotheses.len(),
                head: self.head,
            }),
            Kind::Close => self.close(raw)?,
            Kind::Constants | Kind::Variables => self.declare(raw, tokens)?,
            Kind::Disjoint => self.disjoint(raw, tokens)?,
            Kind::Floating => self.floating(raw, tokens)?,
            Kind::Essential => self.essential(raw, tokens)?,
            Kind::Axiom | Kind::Theorem => self.assertion(raw, tokens)?,
            Kind::Include => {}
        }
        Ok(())
    }

    fn close(&mut self, raw: &Raw) -> Result<(), Trouble> {
        let scope = self.scopes.pop().ok_or_else(|| Trouble::new(codes::SCOPE_UNOPENED, wide(&raw.span)))?;
        for symbol in self.variables.drain(scope.variables..) {
            self.active[symbol as usize] = false;
        }
        let end = narrow_one(self.rows.len());
        for statement in self.hypotheses.drain(scope.hypotheses..) {
            let row = &mut self.rows[statement as usize];
            row[END] = end;
            if row[KIND] == 0 {
                let variable = self.math[row[MATH] as usize] & !VARIABLE;
                self.floating[variable as usize] = NONE;
            }
        }
        self.essentials.truncate(scope.essentials);
        self.head = scope.head;
        Ok(())
    }

    fn declare(&mut self, raw: &Raw, tokens: &[u32]) -> Result<(), Trouble> {
        let constants = raw.kind == Kind::Constants;
        if tokens.is_empty() {
            return Err(Trouble::new(codes::STATEMENT_EMPTY, wide(&raw.span)));
        }
        if constants && !self.scopes.is_empty() {
            return Err(Trouble::new(codes::CONSTANT_IN_SCOPE, wide(&raw.span)));
        }
        for (position, &token) in tokens.iter().enumerate() {
            let symbol = self.local[token as usize];
            let code = self.symbols[symbol as usize][2];
            let again = code != NONE && (constants || code & VARIABLE == 0 || self.active[symbol as usize]);
            if again {
                return Err(self.at_token(codes::SYMBOL_REDECLARED, raw, position));
            }
            let text = &self.source.text;
            let name = named(text, &self.symbols, symbol);
            if self.label_names.find(name, |statement| label(&self.label_text, &self.label_ends, statement)).is_some() {
                return Err(self.at_token(codes::LABEL_IS_SYMBOL, raw, position));
            }
            let code = if constants { symbol } else { symbol | VARIABLE };
            self.symbols[symbol as usize][2] = code;
            self.local_codes[token as usize] = code;
            if !constants {
                self.active[symbol as usize] = true;
                self.variables.push(symbol);
            }
        }
        Ok(())
    }

    fn disjoint(&mut self, raw: &Raw, tokens: &[u32]) -> Result<(), Trouble> {
        if tokens.len() < 2 {
            return Err(Trouble::new(codes::DISJOINT_SHORT, wide(&raw.span)));
        }
        let start = self.members.len();
        for (position, &token) in tokens.iter().enumerate() {
            let code = self.code(raw, token, position)?;
            if code & VARIABLE == 0 {
                return Err(self.at_token(codes::DISJOINT_CONSTANT, raw, position));
            }
            self.members.push(code & !VARIABLE);
        }
        // Short lists are the rule, and sorting one is cheap; only the position in the text needs a search.
        let mut sorted = self.members[start..].to_vec();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let twice = self.members[start..].iter().rposition(|member| *member == pair[0]).unwrap_or(0);
            return Err(self.at_token(codes::DISJOINT_REPEATED, raw, twice));
        }
        self.groups.push([self.head, narrow_one(start), narrow_one(tokens.len())]);
        self.head = narrow_one(self.groups.len() - 1);
        Ok(())
    }

    fn floating(&mut self, raw: &Raw, tokens: &[u32]) -> Result<(), Trouble> {
        let &[typecode, variable] = tokens else {
            return Err(Trouble::new(codes::FLOATING_SHAPE, wide(&raw.span)));
        };
        let typecode = self.code(raw, typecode, 0)?;
        let variable = self.code(raw, variable, 1)?;
        if typecode & VARIABLE != 0 || variable & VARIABLE == 0 {
            return Err(Trouble::new(codes::FLOATING_SHAPE, wide(&raw.span)));
        }
        let symbol = (variable & !VARIABLE) as usize;
        if self.floating[symbol] != NONE {
            return Err(self.at_token(codes::FLOATING_TWICE, raw, 1));
        }
        let math = narrow_one(self.math.len());
        self.math.push(variable);
        let statement = self.push(raw, 0, typecode, math)?;
        self.floating[symbol] = statement;
        self.hypotheses.push(statement);
        Ok(())
    }

    fn essential(&mut self, raw: &Raw, tokens: &[u32]) -> Result<(), Trouble> {
        let (typecode, math) = self.expression(raw, tokens)?;
        let statement = self.push(raw, 1, typecode, math)?;
        self.hypotheses.push(statement);
        self.essentials.push(statement);
        Ok(())
    }

    fn assertion(&mut self, raw: &Raw, tokens: &[u32]) -> Result<(), Trouble> {
        let (typecode, math) = self.expression(raw, tokens)?;
        let number = if raw.kind == Kind::Axiom { 2 } else { 3 };
        let statement = self.push(raw, number, typecode, math)?;
        self.find_mandatory(statement);
        let frame = self.frames.len();
        let mut essentials = self.essentials.iter().copied().peekable();
        for &floating in &self.mandatory {
            while let Some(essential) = essentials.next_if(|&essential| essential < floating) {
                self.frames.push(hypothesis(&self.rows[essential as usize]));
            }
            let row = &self.rows[floating as usize];
            self.frames.push([row[TYPECODE], self.math[row[MATH] as usize], NONE]);
        }
        self.frames.extend(essentials.map(|essential| hypothesis(&self.rows[essential as usize])));
        let disjoint = self.disjoint.len();
        self.restrict_disjoint(statement);
        if self.frames.len() + self.disjoint.len() > self.limits.max_frame_items
            || self.work > self.limits.max_frame_work
        {
            return Err(Trouble::new(codes::LIMIT, wide(&raw.span)).saying("the frames are larger than the limit"));
        }
        let row = &mut self.rows[statement as usize];
        row[FRAME] = narrow_one(frame);
        row[FRAME_LENGTH] = narrow_one(self.frames.len() - frame);
        row[DISJOINT] = narrow_one(disjoint);
        row[DISJOINT_LENGTH] = narrow_one(self.disjoint.len() - disjoint);
        row[HEAD] = self.head;
        Ok(())
    }

    /// The floating hypotheses of all variables in the assertion and in the active essential hypotheses, in order.
    fn find_mandatory(&mut self, statement: u32) {
        self.mandatory.clear();
        for &source in self.essentials.iter().chain([&statement]) {
            let row = &self.rows[source as usize];
            let math = &self.math[row[MATH] as usize..][..row[MATH_LENGTH] as usize];
            self.work += math.len() as u64 + 1;
            for &code in math.iter().filter(|&&code| code & VARIABLE != 0) {
                let symbol = (code & !VARIABLE) as usize;
                if self.stamps[symbol] != statement {
                    self.stamps[symbol] = statement;
                    self.mandatory.push(self.floating[symbol]);
                }
            }
        }
        self.mandatory.sort_unstable();
    }

    /// Of each active group of disjoint variables the mandatory ones.
    fn restrict_disjoint(&mut self, statement: u32) {
        let mut group = self.head;
        while let Some(&[before, start, length]) = self.groups.get(group as usize) {
            let place = self.disjoint.len();
            self.disjoint.push(0);
            let members = &self.members[start as usize..][..length as usize];
            self.disjoint.extend(members.iter().filter(|&&symbol| self.stamps[symbol as usize] == statement));
            match self.disjoint.len() - place - 1 {
                0 | 1 => self.disjoint.truncate(place),
                found => self.disjoint[place] = narrow_one(found),
            }
            self.work += u64::from(length) + 1;
            if self.work > self.limits.max_frame_work {
                return;
            }
            group = before;
        }
    }

    /// Appends the row of a labelled statement whose symbols begin at `math` and end the column.
    fn push(&mut self, raw: &Raw, kind: u32, typecode: u32, math: u32) -> Result<u32, Trouble> {
        let statement = narrow_one(self.rows.len());
        let mut row = [0; ROW];
        row[KIND] = kind;
        row[TYPECODE] = typecode;
        row[MATH] = math;
        row[MATH_LENGTH] = narrow_one(self.math.len()) - math;
        row[END] = NONE;
        row[LABEL] = raw.label.start;
        row[LABEL_LENGTH] = raw.label.end - raw.label.start;
        row[SPAN] = raw.span.start;
        row[SPAN_END] = raw.span.end;
        row[PROOF] = raw.proof.start;
        row[PROOF_END] = raw.proof.end;
        row[ROSTER] = NONE;
        self.rows.push(row);
        let text = &self.source.text;
        let name = &text[wide(&raw.label)];
        let symbol = self.symbol_names.find(name, |symbol| named(text, &self.symbols, symbol));
        if symbol.is_some_and(|symbol| self.symbols[symbol as usize][2] != NONE) {
            return Err(Trouble::new(codes::LABEL_IS_SYMBOL, wide(&raw.label)));
        }
        self.label_text.extend_from_slice(name);
        self.label_ends.push(narrow_one(self.label_text.len()));
        let (text, ends) = (&self.label_text, &self.label_ends);
        if self.label_names.intern(name, statement, |statement| label(text, ends, statement)).1 {
            return Err(Trouble::new(codes::LABEL_REUSED, wide(&raw.label)));
        }
        Ok(statement)
    }

    /// Appends the symbols of an expression to the column `math`: its typecode, and where it begins there.
    fn expression(&mut self, raw: &Raw, tokens: &[u32]) -> Result<(u32, u32), Trouble> {
        let Some((&first, rest)) = tokens.split_first() else {
            return Err(Trouble::new(codes::STATEMENT_EMPTY, wide(&raw.span)));
        };
        let typecode = self.code(raw, first, 0)?;
        if typecode & VARIABLE != 0 {
            return Err(self.at_token(codes::TYPECODE_NOT_CONSTANT, raw, 0));
        }
        let math = narrow_one(self.math.len());
        for (position, &token) in rest.iter().enumerate() {
            let code = self.code(raw, token, position + 1)?;
            if code & VARIABLE != 0 && self.floating[(code & !VARIABLE) as usize] == NONE {
                return Err(self.at_token(codes::VARIABLE_UNTYPED, raw, position + 1));
            }
            self.math.push(code);
        }
        Ok((typecode, math))
    }

    /// The code of an active symbol.
    #[inline]
    fn code(&self, raw: &Raw, token: u32, position: usize) -> Result<u32, Trouble> {
        let code = self.local_codes[token as usize];
        if code == NONE {
            return Err(self.at_token(codes::SYMBOL_UNDECLARED, raw, position));
        }
        if code & VARIABLE != 0 && !self.active[(code & !VARIABLE) as usize] {
            return Err(self.at_token(codes::SYMBOL_INACTIVE, raw, position));
        }
        Ok(code)
    }

    /// The trouble at the symbol with this 0-based position in the statement.
    #[cold]
    fn at_token(&self, code: super::super::Code, raw: &Raw, position: usize) -> Trouble {
        let (text, end) = (&self.source.text, raw.span.end as usize);
        let mut place = raw.span.start as usize + 2..raw.span.start as usize + 2;
        for _ in 0..=position {
            match next_token(text, place.end, end) {
                Ok(Some(token)) => place = token,
                _ => return Trouble::new(code, wide(&raw.span)),
            }
        }
        let shown = String::from_utf8_lossy(&text[place.clone()]).into_owned();
        Trouble::new(code, place).saying(format!("{}: '{shown}'", codes::meaning(code)))
    }

    fn finish(mut self) -> Library {
        for (symbol, floating) in self.symbols.iter_mut().zip(&self.floating) {
            symbol[3] = *floating;
        }
        let store = Owned {
            text: self.source.text,
            rows: self.rows,
            frames: self.frames,
            math: self.math,
            disjoint: self.disjoint,
            groups: self.groups,
            members: self.members,
            rosters: Vec::new(),
            symbols: self.symbols,
            symbol_names: self.symbol_names.into_slots(),
            labels: self.label_names.into_slots(),
            label_text: self.label_text,
            label_ends: self.label_ends,
            seed: self.seed,
        };
        Library {
            store: Store::Owned(Box::new(store)),
            files: self.source.files,
            root: self.source.root,
            uses: OnceLock::new(),
        }
    }
}

fn hypothesis(row: &Row) -> [u32; HYPOTHESIS] {
    [row[TYPECODE], row[MATH], row[MATH_LENGTH]]
}

fn named<'a>(text: &'a [u8], symbols: &[[u32; SYMBOL]], symbol: u32) -> &'a [u8] {
    let [start, length, ..] = symbols[symbol as usize];
    &text[start as usize..][..length as usize]
}
