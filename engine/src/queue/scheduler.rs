//! Whose turn it is.
//!
//! Between tenants, fair shares: the tenant that has used the least working time, divided by its weight, is served. It is
//! start-time fair queueing (Goyal, Vin and Cheng, 1996): a tenant that was away starts level with the one being served, so that nobody
//! saves up, and nobody starves.
//!
//! Within a tenant, earliest deadline first, where a level of priority is worth a fixed time. The rank of a request never changes:
//!
//! ```text
//! rank = (deadline, or submission + patience if there is none) - priority * ageing
//! ```
//!
//! Everything ages at the same pace, so an old request passes a newer and more urgent one exactly when it has waited for the
//! difference; nothing has to be sorted again. Equal ranks are served in the order of their submission.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use super::request::Weight;

/// A tenant, or nobody in particular.
pub(super) type Name = Option<Arc<str>>;

/// What is ordered.
pub(super) trait Item {
    /// Numbers in the order of submission.
    fn seq(&self) -> u64;
    /// Whether somebody still wants it to be worked on. Once `false`, it stays so.
    fn is_wanted(&self) -> bool;
}

/// How many entries of a tenant are looked at to estimate how many are ahead of a newcomer.
const SAMPLE: usize = 64;

#[derive(Debug)]
pub(super) struct Scheduler<T> {
    tenants: HashMap<Name, Tenant<T>>,
    /// The tenants with something in their heap, by what they have used.
    active: BTreeSet<(u64, Name)>,
    /// What the tenant that was served last had used before.
    served: u64,
    /// The most that any tenant has used.
    most_used: u64,
    weights: HashMap<Arc<str>, Weight>,
    len: usize,
}

#[derive(Debug)]
struct Tenant<T> {
    heap: BinaryHeap<Entry<T>>,
    /// Working time in nanoseconds, divided by the weight.
    used: u64,
    weight: Weight,
}

#[derive(Debug)]
struct Entry<T> {
    rank: Reverse<i64>,
    item: T,
}

impl<T: Item> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The greatest comes first: the one with the least rank, then with the least number.
        self.rank.cmp(&other.rank).then_with(|| other.item.seq().cmp(&self.item.seq()))
    }
}

impl<T: Item> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Item> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T: Item> Eq for Entry<T> {}

impl<T: Item> Scheduler<T> {
    /// `weights` are shares; a tenant that is not named has 1.
    pub(super) fn new(weights: HashMap<Arc<str>, Weight>) -> Self {
        Self { tenants: HashMap::new(), active: BTreeSet::new(), served: 0, most_used: 0, weights, len: 0 }
    }

    /// How many entries there are, wanted or not.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, name: &Name, rank: i64, item: T) {
        let (served, weights) = (self.served, &self.weights);
        let tenant = self.tenants.entry(name.clone()).or_insert_with(|| {
            let weight = name.as_ref().and_then(|name| weights.get(name)).copied().unwrap_or_default();
            Tenant { heap: BinaryHeap::new(), used: served, weight }
        });
        if tenant.heap.is_empty() {
            tenant.used = tenant.used.max(served);
            self.active.insert((tenant.used, name.clone()));
        }
        tenant.heap.push(Entry { rank: Reverse(rank), item });
        self.len += 1;
    }

    /// The next one that is wanted. Its tenant is charged `cost_ns`, about what the work will take.
    pub(super) fn pop(&mut self, cost_ns: u64) -> Option<T> {
        while let Some((used, name)) = self.active.pop_first() {
            let tenant = self.tenants.get_mut(&name)?;
            let mut found = None;
            while let Some(entry) = tenant.heap.pop() {
                self.len -= 1;
                if entry.item.is_wanted() {
                    found = Some(entry.item);
                    break;
                }
            }
            if found.is_some() {
                self.served = self.served.max(used);
                tenant.used = used.saturating_add(weighted(cost_ns, tenant.weight));
                self.most_used = self.most_used.max(tenant.used);
            }
            if !tenant.heap.is_empty() {
                self.active.insert((tenant.used, name));
            } else if self.tenants.len() > 2 * self.active.len() + SAMPLE {
                self.forget_idle_tenants();
            }
            if found.is_some() {
                return found;
            }
        }
        // Nobody waits, so nobody has been kept waiting: all start level again.
        self.served = self.most_used;
        None
    }

    /// Corrects a charge, when it is known what the work has taken.
    pub(super) fn correct(&mut self, name: &Name, charged_ns: u64, took_ns: u64) {
        let Some(tenant) = self.tenants.get_mut(name) else { return };
        let before = tenant.used;
        let (charged, took) = (weighted(charged_ns, tenant.weight), weighted(took_ns, tenant.weight));
        tenant.used = before.saturating_sub(charged).saturating_add(took);
        self.most_used = self.most_used.max(tenant.used);
        if self.active.remove(&(before, name.clone())) {
            self.active.insert((tenant.used, name.clone()));
        }
    }

    /// About how many are served before a newcomer with that rank, if no more come: exact while its tenant has few waiting, and
    /// from a sample otherwise.
    pub(super) fn ahead(&self, name: &Name, rank: i64) -> usize {
        let Some(tenant) = self.tenants.get(name) else { return self.active.len().min(self.len) };
        let entries = tenant.heap.as_slice();
        let step = (entries.len() / SAMPLE).max(1);
        let (mut looked, mut before) = (0, 0);
        for entry in entries.iter().step_by(step) {
            looked += 1;
            before += usize::from(entry.rank.0 <= rank);
        }
        let own = entries.len() * before / usize::max(looked, 1);
        // Each of the others is served about as often as this one, as long as it has something.
        let others = self.active.len() - usize::from(!entries.is_empty());
        let foreign = self.len - entries.len();
        own + foreign.min((own + 1) * others)
    }

    /// Drops what nobody wants.
    pub(super) fn sweep(&mut self) {
        for tenant in self.tenants.values_mut() {
            tenant.heap.retain(|entry| entry.item.is_wanted());
            tenant.heap.shrink_to(2 * tenant.heap.len());
        }
        let tenants = &self.tenants;
        self.active.retain(|(_, name)| tenants.get(name).is_some_and(|tenant| !tenant.heap.is_empty()));
        self.len = self.tenants.values().map(|tenant| tenant.heap.len()).sum();
        self.forget_idle_tenants();
    }

    /// Everything that is left, in no order.
    pub(super) fn drain(&mut self) -> Vec<T> {
        self.active.clear();
        self.len = 0;
        self.tenants.drain().flat_map(|(_, tenant)| tenant.heap).map(|entry| entry.item).collect()
    }

    /// A tenant without debts is as good as one that was never seen.
    fn forget_idle_tenants(&mut self) {
        let served = self.served;
        self.tenants.retain(|_, tenant| !tenant.heap.is_empty() || tenant.used > served);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
fn weighted(time_ns: u64, weight: Weight) -> u64 {
    (time_ns as f64 / weight.get()) as u64
}
