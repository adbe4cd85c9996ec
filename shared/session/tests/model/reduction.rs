//! A test of the state reduction: worlds with equal hashes must continue alike.
//!
//! Random walks through every scenario look for two worlds with equal hashes that have different
//! successors or different violations.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use stateright::Model;

use crate::properties::INVARIANTS;
use crate::protocol::Protocol;
use crate::world::World;

const WALKS: u64 = 300;

/// The successors of a world, and the invariants that hold in it.
#[derive(Debug, Clone)]
struct Behaviour {
    next: Vec<u64>,
    holds: Vec<bool>,
    /// A value that the hash leaves out.
    omitted: u64,
}

/// Walks and compares. Returns how often two different worlds had one hash.
pub fn merged(protocol: &Protocol) -> usize {
    let mut known = HashMap::new();
    let mut merged = 0;
    for seed in 0..WALKS {
        let mut random = seed;
        let mut world = protocol.init_states().remove(0);
        loop {
            let mut following = protocol.next_states(&world);
            let here = Behaviour {
                next: hashes(&following),
                holds: INVARIANTS
                    .iter()
                    .map(|(_, holds)| holds(protocol, &world))
                    .collect(),
                omitted: world.state().last_seq.0,
            };
            let before: &Behaviour = known.entry(hash(&world)).or_insert_with(|| here.clone());
            assert_eq!(
                (&before.next, &before.holds),
                (&here.next, &here.holds),
                "worlds with one hash differ: {world:#?}"
            );
            merged += usize::from(before.omitted != here.omitted);
            if following.is_empty() {
                break;
            }
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(seed | 1);
            let choice = (random >> 33) as usize % following.len();
            world = following.swap_remove(choice);
        }
    }
    merged
}

fn hashes(worlds: &[World]) -> Vec<u64> {
    let mut hashes: Vec<_> = worlds.iter().map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn hash(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}
