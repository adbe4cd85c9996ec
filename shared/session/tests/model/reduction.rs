//! The hash leaves out what does not matter: worlds that it takes for one must go on alike.
//!
//! Random walks through every scenario look for two worlds of one hash from which different things can follow, or of which only
//! one keeps a promise.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use stateright::Model;

use crate::properties::PROMISES;
use crate::protocol::Protocol;
use crate::world::World;

const WALKS: u64 = 300;

/// What the model knows of a world: the worlds that can follow, and the promises that hold.
#[derive(Debug, Clone)]
struct Known {
    next: Vec<u64>,
    holds: Vec<bool>,
    /// What the hash leaves out, in a number.
    apart: u64,
}

/// Walks, and compares; how often two worlds apart were taken for one.
pub fn merged(protocol: &Protocol) -> usize {
    let mut known = HashMap::new();
    let mut merged = 0;
    for seed in 0..WALKS {
        let mut dice = seed;
        let mut world = protocol.init_states().remove(0);
        loop {
            let mut following = protocol.next_states(&world);
            let here = Known {
                next: hashes(&following),
                holds: PROMISES
                    .iter()
                    .map(|(_, holds)| holds(protocol, &world))
                    .collect(),
                apart: world.state().last_seq.0,
            };
            let before: &Known = known.entry(hash(&world)).or_insert_with(|| here.clone());
            assert_eq!(
                (&before.next, &before.holds),
                (&here.next, &here.holds),
                "not alike: {world:#?}"
            );
            merged += usize::from(before.apart != here.apart);
            if following.is_empty() {
                break;
            }
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(seed | 1);
            let choice = (dice >> 33) as usize % following.len();
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
