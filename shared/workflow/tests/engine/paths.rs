//! Each mode's path as text, compared with the files in `tests/paths`. After a wanted change:
//! `UPDATE_PATHS=1 cargo test -p workflow`, and read the difference.

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use session::{Envelope, Epoch, Mode, Refusal, RunStatus, Stage};
use workflow::{Outcome, Request, Work};

use crate::{print, script, world::World};

const STEPS: usize = 2;

/// A session and the text of its path.
struct Path {
    world: World,
    text: String,
    epoch: Epoch,
}

impl Path {
    fn new(title: &str, mode: Mode, config: &Value) -> Self {
        let world = World::new(mode, config);
        let mut path = Self {
            text: format!("== {title}\n"),
            epoch: world.state.lease.epoch,
            world,
        };
        let log = path.world.log.clone();
        path.tell("a task arrives", Ok(log));
        path
    }

    fn tell(&mut self, who: &str, told: Result<Vec<Envelope>, Refusal>) {
        match told {
            Ok(told) => {
                let standing = print::standing(&self.world.state);
                writeln!(self.text, "\n{who}  →  {standing}").unwrap();
                for envelope in &told {
                    writeln!(self.text, "{}", print::event(envelope)).unwrap();
                }
            }
            Err(refusal) => writeln!(self.text, "\n{who}  →  refused: {refusal}").unwrap(),
        }
    }

    fn take(&mut self) {
        let taken = self.world.take_lease();
        if let Ok((epoch, _)) = &taken {
            self.epoch = *epoch;
        }
        self.tell("a worker takes the lease", taken.map(|(_, told)| told));
    }

    /// One turn of the worker: asks, and commits what came of it.
    fn turn(&mut self, answer: impl FnOnce(&Request) -> Outcome) {
        let memory = self.world.memory();
        let (who, progress) = match self.world.work(&memory).unwrap() {
            Work::Commit(progress) => ("nobody is asked".to_owned(), *progress),
            Work::Ask(request) => {
                let outcome = answer(&request);
                let progress = self.world.advance(&memory, &outcome).unwrap();
                (
                    format!("{} is asked about {}", request.agent, request.node),
                    progress,
                )
            }
        };
        let told = self
            .world
            .commit(self.world.run().id, self.epoch, progress, false);
        self.tell(&who, told);
    }

    fn good(&mut self) {
        self.turn(|request| script::good(request, STEPS));
    }

    fn suspend(&mut self) {
        let told = self.world.suspend();
        self.tell("the client suspends", told);
    }

    fn resume(&mut self, context: Option<&str>) {
        let told = self.world.resume(context);
        self.tell("the client resumes", told);
    }

    fn cancel(&mut self) {
        let told = self.world.cancel();
        self.tell("the client cancels", told);
    }

    /// The worker is lost, and its lease runs out.
    fn crash(&mut self) {
        self.world.pass(Duration::from_secs(300));
        writeln!(self.text, "\nthe worker is lost").unwrap();
    }

    /// Good turns until the worker is at this stage of this step.
    fn until(&mut self, stage: Stage, step: u32) {
        loop {
            let at = self.world.run().position;
            if (at.stage, at.step) == (stage, step) {
                return;
            }
            self.good();
        }
    }

    /// Good turns for as long as a worker is at it; then the whole text.
    fn told_to_the_end(mut self) -> String {
        while self.world.run().status == RunStatus::Running {
            self.good();
        }
        self.text
    }
}

fn compare(name: &str, paths: impl IntoIterator<Item = Path>) {
    let texts: Vec<String> = paths.into_iter().map(Path::told_to_the_end).collect();
    let text = texts.join("\n");
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/paths/{name}.txt"));
    if std::env::var_os("UPDATE_PATHS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == text,
        "{name}.txt is not the path; it is now:\n{text}"
    );
}

const STAGES: [(&str, Stage, u32); 6] = [
    ("the plan", Stage::Plan, 0),
    ("the review", Stage::Review, 0),
    ("the revision", Stage::Revise, 0),
    ("step 1", Stage::Step, 1),
    ("step 2", Stage::Step, 2),
    ("the result", Stage::Finish, 0),
];

fn planning(title: &str, config: &Value) -> Path {
    let mut path = Path::new(title, Mode::PlanningControl, config);
    path.take();
    path
}

fn one_shot(title: &str, config: &Value) -> Path {
    let mut path = Path::new(title, Mode::OneShot, config);
    path.take();
    path
}

#[test]
fn one_shot_succeeds() {
    let researcher = one_shot("one-shot, the researcher", &Value::Null);
    let engineer = one_shot("one-shot, the engineer", &json!({"agent": "engineer"}));
    compare("one-shot.success", [researcher, engineer]);
}

#[test]
fn one_shot_fails() {
    let mut misfit = one_shot("one-shot, the answer never fits", &Value::Null);
    misfit.turn(|_| script::permanent());
    misfit.resume(None);
    let title = "one-shot, the model is away too often";
    let mut away = one_shot(title, &json!({"maxAttempts": 2}));
    away.turn(|_| script::transient());
    away.take();
    away.turn(|_| script::transient());
    compare("one-shot.failure", [misfit, away]);
}

#[test]
fn one_shot_goes_on_after_trouble() {
    let mut away = one_shot("one-shot, the model is away for a while", &Value::Null);
    away.turn(|_| script::transient());
    away.take();
    let mut lost = one_shot("one-shot, a worker is lost twice", &Value::Null);
    lost.crash();
    lost.take();
    lost.good();
    lost.crash();
    lost.take();
    let mut cancelled = one_shot("one-shot, cancelled while the agent is asked", &Value::Null);
    cancelled.suspend();
    cancelled.cancel();
    compare("one-shot.trouble", [away, lost, cancelled]);
}

#[test]
fn planning_control_succeeds() {
    compare(
        "planning-control.success",
        [planning("planning-control", &Value::Null)],
    );
}

#[test]
fn planning_control_reviews_as_often_as_it_is_told() {
    let none = planning("planning-control, no review", &json!({"nPlanReviews": 0}));
    let title = "planning-control, two reviews, of which the second has no remarks";
    let mut two = planning(title, &json!({"nPlanReviews": 2}));
    two.until(Stage::Revise, 0);
    two.good();
    two.turn(|_| script::approval());
    two.cancel();
    compare("planning-control.reviews", [none, two]);
}

#[test]
fn planning_control_fails_at_each_stage_and_is_taken_over_there() {
    let paths = STAGES[..5].iter().map(|(name, stage, step)| {
        let title = format!("planning-control, a failure at {name}");
        let mut path = planning(&title, &Value::Null);
        path.until(*stage, *step);
        path.turn(|_| script::permanent());
        path.resume(Some("Leave out the slow ones."));
        path.take();
        path
    });
    compare("planning-control.failure-and-takeover", paths);
}

#[test]
fn planning_control_is_suspended_and_resumed_at_each_stage() {
    let paths = STAGES.iter().map(|(name, stage, step)| {
        let title = format!("planning-control, suspended at {name}");
        let mut path = planning(&title, &Value::Null);
        path.until(*stage, *step);
        path.suspend();
        path.good();
        path.resume(None);
        path.take();
        path
    });
    compare("planning-control.suspend-and-resume", paths);
}

#[test]
fn planning_control_goes_on_after_trouble() {
    let at = |title: &str, step: u32| {
        let mut path = planning(&format!("planning-control, {title}"), &Value::Null);
        path.until(Stage::Step, step);
        path
    };
    let mut away = at("the model is away at step 1", 1);
    away.turn(|_| script::transient());
    away.take();
    let mut failed = at("a failure at step 1 while suspended", 1);
    failed.suspend();
    failed.turn(|_| script::permanent());
    failed.resume(None);
    failed.take();
    let mut crossed = at("suspended and resumed while step 2 is done", 2);
    crossed.suspend();
    crossed.resume(None);
    let mut cancelled = at("cancelled at step 2", 2);
    cancelled.cancel();
    compare(
        "planning-control.trouble",
        [away, failed, crossed, cancelled],
    );
}

#[test]
fn a_run_stops_at_its_budget() {
    let path = planning(
        "planning-control, a budget of 0.60 $",
        &json!({"maxCostUsd": 0.6}),
    );
    compare("planning-control.budget", [path]);
}

#[test]
fn a_mode_that_is_not_built_yet_fails_and_says_so() {
    let absent = session::MODES
        .iter()
        .filter(|info| !workflow::Path::of(info.id).is_available());
    let paths = absent.map(|info| {
        let mut path = Path::new(info.id.id(), info.id, &Value::Null);
        path.take();
        path
    });
    compare("not-available", paths);
}
