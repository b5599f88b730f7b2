//! Whether a substitution keeps apart what must be kept apart.
//!
//! The variables that a proof declares disjoint are numbered, and each gets a row of bits: from which others it is apart. A
//! row lacks its own bit, so that a variable which two substitutions share is found by the same test.

use super::super::{Exhausted, Meter};
use super::kernel::Claim;
use super::library::{NONE, VARIABLE};

/// The pairs that the claim declares, made when a proof first needs them.
#[derive(Debug, Default)]
pub(super) struct Disjoint {
    made: bool,
    /// By symbol: its number, valid only where `stamps` holds the current `stamp`.
    numbers: Vec<u32>,
    stamps: Vec<u32>,
    stamp: u32,
    count: usize,
    /// Words a row.
    width: usize,
    rows: Vec<u64>,
    /// The numbers of the variables behind the current one in a group, and those of the current one.
    behind: Vec<u64>,
    current: Vec<u64>,
}

/// Two variables that are not disjoint but should be, or one twice, as codes.
type Clash = (u32, u32);

impl Disjoint {
    pub(super) fn clear(&mut self) {
        self.made = false;
    }

    /// Checks the groups of a cited assertion under a substitution.
    pub(super) fn check(
        &mut self,
        groups: &[u32],
        claim: &Claim<'_>,
        arena: &[u32],
        substitution: &[(u32, u32)],
        meter: &mut Meter,
        limit_bytes: u64,
    ) -> Result<Result<(), Clash>, Exhausted> {
        if !self.made {
            self.make(claim, substitution.len(), meter, limit_bytes)?;
        }
        let mut rest = groups;
        while let Some((&length, members)) = rest.split_first() {
            let (group, behind) = members.split_at(members.len().min(length as usize));
            rest = behind;
            if !self.group_is_apart(group, arena, substitution, meter)? {
                return Ok(Err(self.find_clash(group, arena, substitution)));
            }
        }
        Ok(Ok(()))
    }

    fn group_is_apart(
        &mut self,
        group: &[u32],
        arena: &[u32],
        substitution: &[(u32, u32)],
        meter: &mut Meter,
    ) -> Result<bool, Exhausted> {
        self.behind.clear();
        self.behind.resize(self.width, 0);
        self.current.resize(self.width, 0);
        // A variable without a number is apart from nothing: so there must be only one substitution with variables.
        let (mut any_behind, mut stranger_behind) = (false, false);
        for &symbol in group.iter().rev() {
            let (start, length) = substitution.get(symbol as usize).copied().unwrap_or_default();
            let expression = arena.get(start as usize..start as usize + length as usize).unwrap_or_default();
            meter.nodes(u64::from(length))?;
            self.current.fill(0);
            let (mut any, mut stranger) = (false, false);
            for &code in expression.iter().filter(|&&code| code & VARIABLE != 0) {
                any = true;
                let Some(number) = self.number(code) else {
                    stranger = true;
                    continue;
                };
                let bit = 1 << (number % 64);
                if self.current[number / 64] & bit != 0 {
                    continue;
                }
                self.current[number / 64] |= bit;
                meter.nodes(self.width as u64)?;
                let row = &self.rows[number * self.width..][..self.width];
                if self.behind.iter().zip(row).any(|(behind, apart)| behind & !apart != 0) {
                    return Ok(false);
                }
            }
            if any && stranger_behind || stranger && any_behind {
                return Ok(false);
            }
            any_behind |= any;
            stranger_behind |= stranger;
            self.behind.iter_mut().zip(&self.current).for_each(|(behind, current)| *behind |= current);
        }
        Ok(true)
    }

    fn number(&self, code: u32) -> Option<usize> {
        let symbol = (code & !VARIABLE) as usize;
        (self.stamps.get(symbol) == Some(&self.stamp)).then(|| self.numbers[symbol] as usize)
    }

    /// Numbers the variables of the claim's groups and fills their rows.
    fn make(
        &mut self,
        claim: &Claim<'_>,
        symbols: usize,
        meter: &mut Meter,
        limit_bytes: u64,
    ) -> Result<(), Exhausted> {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamps.len() < symbols || self.stamp == 0 {
            self.stamps = vec![0; symbols];
            self.numbers = vec![0; symbols];
            self.stamp = 1;
        }
        self.count = 0;
        for members in active(claim) {
            meter.nodes(members.len() as u64 + 1)?;
            for &symbol in members {
                if let Some(stamp) = self.stamps.get_mut(symbol as usize).filter(|stamp| **stamp != self.stamp) {
                    *stamp = self.stamp;
                    self.numbers[symbol as usize] = u32::try_from(self.count).unwrap_or(NONE);
                    self.count += 1;
                }
            }
        }
        self.width = self.count.div_ceil(64);
        let words = self.count.saturating_mul(self.width);
        if words as u64 > limit_bytes / 8 {
            return Err(Exhausted { unit: "bytes of memory", limit: limit_bytes });
        }
        meter.nodes(words as u64)?;
        self.rows.clear();
        self.rows.resize(words, 0);
        for members in active(claim) {
            self.behind.clear();
            self.behind.resize(self.width, 0);
            for &symbol in members {
                let Some(number) = self.number(symbol) else { continue };
                self.behind[number / 64] |= 1 << (number % 64);
            }
            meter.nodes((members.len() * self.width) as u64)?;
            for &symbol in members {
                let Some(number) = self.number(symbol) else { continue };
                let row = &mut self.rows[number * self.width..][..self.width];
                row.iter_mut().zip(&self.behind).for_each(|(row, group)| *row |= group);
            }
        }
        for number in 0..self.count {
            self.rows[number * self.width + number / 64] &= !(1 << (number % 64));
        }
        self.made = true;
        Ok(())
    }

    /// The first two variables that clash; there are some.
    #[cold]
    fn find_clash(&self, group: &[u32], arena: &[u32], substitution: &[(u32, u32)]) -> Clash {
        let variables = |symbol: u32| {
            let (start, length) = substitution.get(symbol as usize).copied().unwrap_or_default();
            let expression = arena.get(start as usize..start as usize + length as usize).unwrap_or_default();
            let mut found: Vec<u32> = expression.iter().copied().filter(|&code| code & VARIABLE != 0).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let found: Vec<Vec<u32>> = group.iter().map(|&symbol| variables(symbol)).collect();
        for (position, ones) in found.iter().enumerate() {
            for others in &found[position + 1..] {
                for &one in ones {
                    if let Some(&other) = others.iter().find(|&&other| !self.are_apart(one, other)) {
                        return (one, other);
                    }
                }
            }
        }
        (NONE, NONE)
    }

    fn are_apart(&self, one: u32, other: u32) -> bool {
        let (Some(one), Some(other)) = (self.number(one), self.number(other)) else { return false };
        self.rows[one * self.width + other / 64] & (1 << (other % 64)) != 0
    }
}

/// The members of each active group.
fn active<'a>(claim: &Claim<'a>) -> impl Iterator<Item = &'a [u32]> + use<'a> {
    let Claim { groups, members, mut head, .. } = *claim;
    std::iter::from_fn(move || {
        let &[before, start, length] = groups.get(head as usize)?;
        // A chain from a file could run in a circle.
        head = if before < head { before } else { NONE };
        Some(super::library::slice(members, start, length))
    })
}
