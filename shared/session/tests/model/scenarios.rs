//! The scenarios. Each has a budget for some kinds of faults, because all kinds at once would give
//! too many states.

use std::time::Duration;

use session::{MAX_ATTEMPTS, Mode, Rules};

use crate::engine::Plan;
use crate::properties::*;
use crate::protocol::Protocol;
use crate::world::Budget;

/// One step without an approval.
const WORK: Plan = Plan {
    steps: 1,
    approval_after: 0,
    checkpoint: "after_step",
};

/// A step, an approval, and another step unless it is skipped.
const APPROVAL: Plan = Plan {
    steps: 2,
    approval_after: 1,
    checkpoint: "after_step",
};

/// A step and a turn of a conversation, whose expiry ends the conversation.
const TURN: Plan = Plan {
    steps: 1,
    approval_after: 1,
    checkpoint: "copilot_turn",
};

/// Short durations, in ticks. The purge delay is longer than any function lives.
pub fn rules() -> Rules {
    let ticks = Duration::from_secs;
    Rules {
        requeue: ticks(1),
        approval_ttl: ticks(2),
        idle_ttl: ticks(2),
        purge_delay: ticks(3),
    }
}

fn scenario(
    name: &'static str,
    plan: Plan,
    budget: Budget,
    must_reach: &'static [&'static str],
) -> Protocol {
    Protocol {
        name,
        plan,
        mode: Mode::PlanningControl,
        rules: rules(),
        lease: 1,
        life: 2,
        budget,
        with_task: true,
        lost_workers: 0,
        must_reach,
        mutation: None,
    }
}

/// Returns all scenarios.
pub fn all() -> [Protocol; 11] {
    [
        workers(),
        crash_loop(),
        lost_replies(),
        dead_letters(),
        people(),
        further_tasks(),
        without_resume(),
        approval_expiry(),
        turn_expiry(),
        idle_expiry(),
        deletion(),
    ]
}

/// Workers die, messages are lost, late and duplicated, and leases expire while their holders live.
pub fn workers() -> Protocol {
    let budget = Budget {
        ticks: 3,
        crashes: 1,
        losses: 1,
        copies: 1,
        ..Budget::default()
    };
    let must_reach = &[COMPLETED, HOLDER_OUTLIVES_LEASE, TAKEN_OVER, SENT_AGAIN];
    scenario("workers", WORK, budget, must_reach)
}

/// Four workers in a row have died. One more may die; then the run fails.
pub fn crash_loop() -> Protocol {
    let budget = Budget {
        ticks: 2,
        crashes: 2,
        ..Budget::default()
    };
    Protocol {
        lost_workers: MAX_ATTEMPTS - 1,
        ..scenario("crash loop", WORK, budget, &[COMPLETED, FAILED])
    }
}

/// Replies to puts of all writers are lost, and slices end.
pub fn lost_replies() -> Protocol {
    let budget = Budget {
        ticks: 2,
        lost_replies: 1,
        yields: 1,
        ..Budget::default()
    };
    scenario(
        "lost replies",
        WORK,
        budget,
        &[COMPLETED, LOST_REPLY, TAKEN_OVER],
    )
}

/// The queue gives up messages while others for the same run are in flight.
pub fn dead_letters() -> Protocol {
    let budget = Budget {
        ticks: 2,
        given_up: 1,
        copies: 1,
        ..Budget::default()
    };
    scenario("dead letters", WORK, budget, &[COMPLETED, FAILED])
}

/// Two clients give contradicting answers, suspend, resume and cancel, while workers die and
/// replies are lost.
pub fn people() -> Protocol {
    let budget = Budget {
        crashes: 1,
        lost_replies: 1,
        answers: [1, 1, 0],
        suspends: 1,
        resumes: 1,
        cancels: 1,
        ..Budget::default()
    };
    let must_reach = &[
        COMPLETED,
        ANSWER_WAITS,
        ANSWER_USED,
        PAUSED_DURING_WORK,
        LOST_REPLY,
    ];
    scenario("people", APPROVAL, budget, must_reach)
}

/// Runs fail, are cancelled or are ended by an answer. Failed runs are taken over, and a second
/// task follows.
pub fn further_tasks() -> Protocol {
    let budget = Budget {
        copies: 1,
        failures: 1,
        answers: [1, 0, 1],
        resumes: 1,
        cancels: 1,
        tasks: 1,
        ..Budget::default()
    };
    scenario(
        "further tasks",
        APPROVAL,
        budget,
        &[FAILED, ANSWER_USED, SECOND_TASK],
    )
}

/// In a mode without resume a task fails or is cancelled, and another one follows.
pub fn without_resume() -> Protocol {
    let budget = Budget {
        ticks: 1,
        copies: 1,
        failures: 1,
        cancels: 1,
        tasks: 2,
        ..Budget::default()
    };
    Protocol {
        mode: Mode::OneShot,
        ..scenario("without resume", WORK, budget, &[FAILED, SECOND_TASK])
    }
}

/// An approval expires while it is answered. A resume requests it again.
pub fn approval_expiry() -> Protocol {
    let budget = Budget {
        ticks: 3,
        answers: [1, 0, 0],
        resumes: 1,
        ..Budget::default()
    };
    scenario(
        "approval expiry",
        APPROVAL,
        budget,
        &[COMPLETED, ANSWER_USED, APPROVAL_EXPIRED],
    )
}

/// The expiry of a turn counts as an answer, which races with the answer of a client.
pub fn turn_expiry() -> Protocol {
    let budget = Budget {
        ticks: 3,
        answers: [1, 0, 0],
        ..Budget::default()
    };
    scenario(
        "turn expiry",
        TURN,
        budget,
        &[COMPLETED, ANSWER_WAITS, ANSWER_USED],
    )
}

/// A session without a task expires when idle, and a task makes it active again.
pub fn idle_expiry() -> Protocol {
    let budget = Budget {
        ticks: 3,
        tasks: 1,
        ..Budget::default()
    };
    let must_reach = &[COMPLETED, IDLE_EXPIRED];
    Protocol {
        with_task: false,
        ..scenario("idle expiry", WORK, budget, must_reach)
    }
}

/// A session is deleted while workers run, and purged as soon as the rules allow.
pub fn deletion() -> Protocol {
    let budget = Budget {
        ticks: 3,
        deletes: 1,
        ..Budget::default()
    };
    scenario(
        "deletion",
        WORK,
        budget,
        &[COMPLETED, DELETED_DURING_WORK, PURGED],
    )
}
