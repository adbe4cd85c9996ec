//! Random outcomes, crashes and commands. Every run ends or waits for a known event, and no work is
//! lost or doubled.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use session::{Command, Epoch, MODES, Mode, Progress, Refusal, RouteKind, RunId, RunStatus};
use workflow::{RunHistory, Work};

use crate::{check, script, world::World};

/// The next action, if it is possible.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// A worker takes the lease.
    Take,
    /// The worker executes its work with this outcome.
    Ask(Came),
    /// The worker commits the outcome.
    Commit {
        yield_lease: bool,
    },
    /// The worker is lost, and its lease expires.
    Crash,
    /// Five workers in a row are lost at one position, and the run fails.
    LoseFive,
    /// The worker sleeps until its lease has expired, and continues later.
    Sleep,
    Suspend,
    Resume {
        says: bool,
    },
    /// A person gives one of the offered answers.
    Answer {
        which: u8,
    },
    /// The approval expires without an answer.
    Expire,
    Cancel,
    /// The sweeper runs.
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
        20 => any::<bool>().prop_map(|yield_lease| Act::Commit { yield_lease }),
        2 => Just(Act::Crash),
        1 => Just(Act::LoseFive),
        2 => Just(Act::Sleep),
        4 => Just(Act::Suspend),
        8 => any::<bool>().prop_map(|says| Act::Resume { says }),
        12 => any::<u8>().prop_map(|which| Act::Answer { which }),
        1 => Just(Act::Expire),
        1 => (0..4u8).prop_map(|chance| if chance == 0 { Act::Cancel } else { Act::Sweep }),
    ]
}

/// A worker's own knowledge: the record that it read, and its own appends.
struct Worker {
    run: RunId,
    epoch: Epoch,
    memory: RunHistory,
    in_hand: Option<Progress>,
}

struct Play {
    world: World,
    workers: Vec<Worker>,
    steps: usize,
    questions: u128,
}

impl Play {
    fn act(&mut self, act: Act) {
        match act {
            Act::Take => self.take(),
            Act::Ask(came) => self.ask(came),
            Act::Commit { yield_lease } => self.commit(yield_lease),
            Act::Crash => {
                self.workers.clear();
                self.world.pass(Duration::from_secs(200));
            }
            Act::LoseFive => {
                for _ in 0..6 {
                    self.act(Act::Crash);
                    self.act(Act::Take);
                }
            }
            Act::Sleep => self.world.pass(Duration::from_secs(200)),
            Act::Suspend => drop(self.world.suspend()),
            Act::Resume { says } => drop(self.world.resume(says.then_some("And briefly."))),
            Act::Answer { which } => self.answer(which),
            Act::Expire => drop(self.world.expire()),
            Act::Cancel => drop(self.world.cancel()),
            Act::Sweep => drop(self.world.command(&Command::Recover)),
        }
    }

    fn take(&mut self) {
        let taken = self.world.take_lease();
        // Taking the lease too often fails the run and returns no lease.
        if let (Ok((epoch, _)), RunStatus::Running) = (taken, self.status()) {
            self.workers.push(Worker {
                run: self.world.run().id,
                epoch,
                memory: self.world.memory(),
                in_hand: None,
            });
        }
    }

    /// Only the newest worker executes work. An older one already has an outcome or never will.
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
            Some(Work::AskPerson(question)) => {
                self.questions += 1;
                Some(world.put(&worker.memory, *question, self.questions))
            }
            Some(Work::DocumentTask(document)) => {
                let outcome = match came {
                    Came::Good | Came::NoRemarks => script::unit(world.state.mode, &document),
                    Came::Transient => script::transient(),
                    Came::Permanent => script::permanent(),
                };
                world.advance(&worker.memory, &outcome)
            }
            Some(Work::Ask(request)) => {
                let outcome = match came {
                    Came::Good => script::good(&request, self.steps),
                    Came::NoRemarks if request.agent == "plan_reviewer" => script::approval(),
                    Came::NoRemarks if request.agent == "copilot_control" => {
                        let kinds = [RouteKind::Planned, RouteKind::Clarify, RouteKind::Propose];
                        script::routed(kinds[world.log.len() % kinds.len()])
                    }
                    Came::NoRemarks => script::good(&request, self.steps),
                    Came::Transient => script::transient(),
                    Came::Permanent => script::permanent(),
                };
                world.advance(&worker.memory, &outcome)
            }
        };
    }

    /// Any worker with an outcome tries to append it, even if it has lost its lease.
    fn commit(&mut self, yield_lease: bool) {
        let Some(place) = self
            .workers
            .iter()
            .position(|worker| worker.in_hand.is_some())
        else {
            return;
        };
        let worker = &mut self.workers[place];
        let (epoch, progress) = (worker.epoch, worker.in_hand.take().unwrap());
        let told = self.world.commit(worker.run, epoch, progress, yield_lease);
        let held = self.world.state.lease.epoch == epoch && self.world.state.lease.until.is_some();
        match told {
            Ok(told) if held => {
                assert!(!told.is_empty(), "a change without an event is not stored");
                worker.memory.apply(&self.world.log);
                let fresh = self.world.memory();
                assert_eq!(worker.memory.done(), fresh.done());
                assert_eq!(worker.memory.task(), fresh.task());
                assert_eq!(worker.memory.artifacts(), fresh.artifacts());
            }
            _ => drop(self.workers.remove(place)),
        }
    }

    /// Adds feedback where it is required, and a valid plan to a `modify`.
    fn answer(&mut self, which: u8) {
        let Some(open) = &self.world.state.approval else {
            return;
        };
        let option = open.options[usize::from(which) % open.options.len()].clone();
        let agent = workflow::ModeSpec::of(self.world.state.mode).team.last();
        let plan = json!([{"sub_task": "Mine", "sub_task_agent": agent}, {"sub_task": "Yours", "sub_task_agent": agent}]);
        let plan = (option == "modify").then_some(plan);
        let words = (which > 40).then_some("In so many words.");
        let needs_words = matches!(option.as_str(), "submit" | "custom");
        let words = words.or(needs_words.then_some("Necessary words."));
        if let Err(refusal) = self.world.answer(&option, words, plan) {
            assert_eq!(refusal, Refusal::ApprovalLapsed);
            self.act(Act::Sweep);
        }
    }

    /// From here on everything succeeds, and every approval is answered.
    fn settle(&mut self) {
        for _ in 0..300 {
            match self.status() {
                RunStatus::Completed | RunStatus::Cancelled => return,
                RunStatus::WaitingApproval => self.say_yes(),
                RunStatus::Failed | RunStatus::Paused => {
                    if self.world.resume(None).is_err() {
                        return;
                    }
                }
                RunStatus::Queued | RunStatus::Running => {
                    self.act(Act::Crash);
                    self.act(Act::Take);
                    self.act(Act::Ask(Came::Good));
                    self.act(Act::Commit { yield_lease: false });
                }
            }
        }
        panic!("the run comes to no end");
    }

    /// The first option of every approval lets the run continue. A conversation is ended.
    fn say_yes(&mut self) {
        let open = self.world.state.approval.as_ref().unwrap();
        let yes = open
            .options
            .iter()
            .position(|option| match open.checkpoint.as_str() {
                "copilot_turn" => option == "done",
                _ => true,
            });
        self.answer(u8::try_from(yes.unwrap()).unwrap());
    }

    fn status(&self) -> RunStatus {
        self.world.run().status
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_or_waits_and_no_work_is_lost_or_doubled(
        mode in prop::sample::select(MODES.map(|info| info.id).to_vec()),
        steps in 2..5usize,
        reviews in 0..3u32,
        chosen in 0..6usize,
        budget in prop::option::weighted(0.2, 1..8u32),
        acts in prop::collection::vec(acts(), 0..140),
    ) {
        let config = json!({
            "nPlanReviews": reviews,
            "maxAttempts": 2,
            "maxRounds": 3,
            "approvalMode": APPROVAL_MODES[chosen % 4],
            "checkpoints": checkpoints(mode, chosen),
            "conversational": chosen % 2 == 0,
            "maxCostUsd": budget.map(f64::from),
        });
        let world = World::new(mode, &config);
        let mut play = Play { world, workers: Vec::new(), steps, questions: 1_000 };
        for act in acts {
            play.act(act);
            check::so_far(&play.world);
        }
        play.settle();
        check::so_far(&play.world);
        check::at_the_end(&play.world);
    }
}

const APPROVAL_MODES: [&str; 4] = ["both", "before_step", "after_step", "on_error"];

fn checkpoints(mode: Mode, chosen: usize) -> &'static str {
    let words: &[&str] = match mode {
        Mode::IdeaGeneration => &["none", "after_ideas", "after_planning", "both", "on_error"],
        _ => &[
            "none",
            "after_planning",
            "before_step",
            "after_step",
            "both",
            "on_error",
        ],
    };
    words[chosen % words.len()]
}
