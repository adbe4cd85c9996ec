//! Random outcomes, crashes and commands: every run ends or waits for something named, and nothing is lost or doubled.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use session::{Command, Epoch, Mode, Progress, RunId, RunStatus};
use workflow::{Memory, Work};

use crate::{check, script, world::World};

/// What happens next, where it can happen.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// A worker takes the lease.
    Take,
    /// The worker asks, and something comes of it.
    Ask(Came),
    /// The worker commits what came of it.
    Commit {
        hand_back: bool,
    },
    /// The worker is lost, and its lease runs out.
    Crash,
    /// The worker sleeps while its lease runs out, and wakes up later.
    Sleep,
    Suspend,
    Resume {
        says: bool,
    },
    Cancel,
    /// The sweeper looks.
    Sweep,
}

#[derive(Debug, Clone, Copy)]
enum Came {
    Good,
    NoRemarks,
    Transient,
    Permanent,
}

fn acts() -> impl Strategy<Value = Act> {
    let came = prop_oneof![
        8 => Just(Came::Good),
        1 => Just(Came::NoRemarks),
        2 => Just(Came::Transient),
        1 => Just(Came::Permanent),
    ];
    prop_oneof![
        10 => Just(Act::Take),
        20 => came.prop_map(Act::Ask),
        20 => any::<bool>().prop_map(|hand_back| Act::Commit { hand_back }),
        2 => Just(Act::Crash),
        2 => Just(Act::Sleep),
        4 => Just(Act::Suspend),
        8 => any::<bool>().prop_map(|says| Act::Resume { says }),
        1 => (0..4u8).prop_map(|chance| if chance == 0 { Act::Cancel } else { Act::Sweep }),
    ]
}

/// A worker as it really is: it knows what it read, and what it has appended itself.
struct Worker {
    run: RunId,
    epoch: Epoch,
    memory: Memory,
    in_hand: Option<Progress>,
}

struct Play {
    world: World,
    workers: Vec<Worker>,
    steps: usize,
}

impl Play {
    fn act(&mut self, act: Act) {
        match act {
            Act::Take => self.take(),
            Act::Ask(came) => self.ask(came),
            Act::Commit { hand_back } => self.commit(hand_back),
            Act::Crash => {
                self.workers.clear();
                self.world.pass(Duration::from_secs(200));
            }
            Act::Sleep => self.world.pass(Duration::from_secs(200)),
            Act::Suspend => drop(self.world.suspend()),
            Act::Resume { says } => drop(self.world.resume(says.then_some("And briefly."))),
            Act::Cancel => drop(self.world.cancel()),
            Act::Sweep => drop(self.world.command(&Command::Recover)),
        }
    }

    fn take(&mut self) {
        let taken = self.world.take_lease();
        // A taking that came too often fails the run instead, and gives no lease.
        if let (Ok((epoch, _)), RunStatus::Running) = (taken, self.status()) {
            self.workers.push(Worker {
                run: self.world.run().id,
                epoch,
                memory: self.world.memory(),
                in_hand: None,
            });
        }
    }

    /// The newest worker asks; an older one has asked already or never will.
    fn ask(&mut self, came: Came) {
        let world = &self.world;
        let Some(worker) = self.workers.last_mut() else {
            return;
        };
        if world.state.lease.epoch != worker.epoch || worker.in_hand.is_some() {
            return;
        }
        worker.memory.apply(&world.log);
        worker.in_hand = match world.work(&worker.memory) {
            None => None,
            Some(Work::Commit(progress)) => Some(*progress),
            Some(Work::Ask(request)) => {
                let outcome = match came {
                    Came::Good => script::good(&request, self.steps),
                    Came::NoRemarks if request.agent == "plan_reviewer" => script::approval(),
                    Came::NoRemarks => script::good(&request, self.steps),
                    Came::Transient => script::transient(),
                    Came::Permanent => script::permanent(),
                };
                world.advance(&worker.memory, &outcome)
            }
        };
    }

    /// Any worker that has something in hand tries to append it, also one that was overtaken long ago.
    fn commit(&mut self, hand_back: bool) {
        let Some(place) = self
            .workers
            .iter()
            .position(|worker| worker.in_hand.is_some())
        else {
            return;
        };
        let worker = &mut self.workers[place];
        let (epoch, progress) = (worker.epoch, worker.in_hand.take().unwrap());
        let told = self.world.commit(worker.run, epoch, progress, hand_back);
        let held = self.world.state.lease.epoch == epoch && self.world.state.lease.until.is_some();
        match told {
            Ok(told) if held => {
                worker.memory.apply(&told);
                assert_eq!(worker.memory.done(), self.world.memory().done());
            }
            _ => drop(self.workers.remove(place)),
        }
    }

    /// From here on all goes well, and whoever is waited for comes.
    fn settle(&mut self) {
        for _ in 0..200 {
            match self.status() {
                RunStatus::Completed | RunStatus::Cancelled => return,
                RunStatus::WaitingApproval => panic!("nobody asks a person yet"),
                RunStatus::Failed | RunStatus::Paused => {
                    if self.world.resume(None).is_err() {
                        return;
                    }
                }
                RunStatus::Queued | RunStatus::Running => {
                    self.act(Act::Crash);
                    self.act(Act::Take);
                    self.act(Act::Ask(Came::Good));
                    self.act(Act::Commit { hand_back: false });
                }
            }
        }
        panic!("the run comes to no end");
    }

    fn status(&self) -> RunStatus {
        self.world.run().status
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_run_ends_and_nothing_is_lost_or_doubled(
        planned in any::<bool>(),
        steps in 1..5usize,
        reviews in 0..3u32,
        acts in prop::collection::vec(acts(), 0..120),
    ) {
        let mode = if planned { Mode::PlanningControl } else { Mode::OneShot };
        let world = World::new(mode, &json!({"nPlanReviews": reviews, "maxAttempts": 2}));
        let mut play = Play { world, workers: Vec::new(), steps };
        for act in acts {
            play.act(act);
            check::so_far(&play.world);
        }
        play.settle();
        check::so_far(&play.world);
        check::at_the_end(&play.world, steps);
    }
}
