//! What is gone through: a few worlds, each with enough of some kinds of trouble and none of the others.
//!
//! All kinds at once would be too many states; which of them stand together is said at each.

use std::time::Duration;

use session::{MAX_ATTEMPTS, Rules};

use crate::engine::Plan;
use crate::properties::*;
use crate::protocol::Protocol;
use crate::world::Budget;

/// One step, and nobody is asked.
const WORK: Plan = Plan {
    steps: 1,
    asks_after: 0,
    checkpoint: "after_step",
};

/// A step, a question, another step unless it is skipped.
const QUESTION: Plan = Plan {
    steps: 2,
    asks_after: 1,
    checkpoint: "after_step",
};

/// A step, and a turn of a conversation, whose silence is its end.
const TURN: Plan = Plan {
    steps: 1,
    asks_after: 1,
    checkpoint: "copilot_turn",
};

/// Short times, in ticks: a lease and a message's patience of one, a purge longer than anybody lives.
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
    sights: &'static [&'static str],
) -> Protocol {
    Protocol {
        name,
        plan,
        rules: rules(),
        lease: 1,
        life: 2,
        budget,
        with_task: true,
        lost_workers: 0,
        sights,
        broken: None,
    }
}

/// All of them.
pub fn all() -> [Protocol; 10] {
    [
        workers(),
        crash_loop(),
        lost_replies(),
        dead_letters(),
        people(),
        further_tasks(),
        lapses(),
        silence(),
        idleness(),
        deletion(),
    ]
}

/// Two workers that die, messages that are lost, late and doubled, leases that run out under their holders, the sweeper.
pub fn workers() -> Protocol {
    let budget = Budget {
        ticks: 3,
        crashes: 1,
        losses: 1,
        copies: 1,
        ..Budget::default()
    };
    let sights = &[COMPLETED, HOLDER_OUTLIVES_LEASE, TAKEN_OVER, SENT_AGAIN];
    scenario("workers", WORK, budget, sights)
}

/// A run at which four workers in a row have died already: one more may, and then it fails.
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

/// Replies to a put that are lost after it was done, of workers, people and the sweeper, and slices whose time is up.
pub fn lost_replies() -> Protocol {
    let budget = Budget {
        ticks: 2,
        lost_replies: 1,
        hand_backs: 1,
        ..Budget::default()
    };
    scenario(
        "lost replies",
        WORK,
        budget,
        &[COMPLETED, LOST_REPLY, TAKEN_OVER],
    )
}

/// Messages that the queue gives up on while others for the same run are on the way.
pub fn dead_letters() -> Protocol {
    let budget = Budget {
        ticks: 2,
        burials: 1,
        copies: 1,
        ..Budget::default()
    };
    scenario("dead letters", WORK, budget, &[COMPLETED, FAILED])
}

/// Two people who answer the same question differently, suspend, resume and cancel, while workers die and replies are lost.
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
    let sights = &[
        COMPLETED,
        ANSWER_WAITS,
        ANSWER_USED,
        PAUSED_AT_WORK,
        LOST_REPLY,
    ];
    scenario("people", QUESTION, budget, sights)
}

/// Runs that fail, are cancelled, or ended by an answer; failed ones are taken over, and a second task follows.
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
        QUESTION,
        budget,
        &[FAILED, ANSWER_USED, SECOND_TASK],
    )
}

/// A question that lapses while it is answered; the person who resumes is asked again.
pub fn lapses() -> Protocol {
    let budget = Budget {
        ticks: 3,
        answers: [1, 0, 0],
        resumes: 1,
        ..Budget::default()
    };
    scenario(
        "lapses",
        QUESTION,
        budget,
        &[COMPLETED, ANSWER_USED, QUESTION_LAPSED],
    )
}

/// A turn whose silence is an answer, which races with a spoken one.
pub fn silence() -> Protocol {
    let budget = Budget {
        ticks: 3,
        answers: [1, 0, 0],
        ..Budget::default()
    };
    scenario(
        "silence",
        TURN,
        budget,
        &[COMPLETED, ANSWER_WAITS, ANSWER_USED],
    )
}

/// A session that begins without a task: it expires when nothing happens, and a task revives it.
pub fn idleness() -> Protocol {
    let budget = Budget {
        ticks: 3,
        tasks: 1,
        ..Budget::default()
    };
    let sights = &[COMPLETED, IDLE_EXPIRED];
    Protocol {
        with_task: false,
        ..scenario("idleness", WORK, budget, sights)
    }
}

/// A session that is deleted under its workers' hands, and purged as soon as the rules allow.
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
        &[COMPLETED, DELETED_AT_WORK, PURGED],
    )
}
