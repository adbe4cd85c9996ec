//! Planning by outline: what the task lists or asks for becomes steps; where it does neither, its weightiest sentences do.
//! Where ideas are wanted, the instructions list the steps, and the task is the subject of them all.
//! A revision mends what the review (`review`) measures.

use super::{
    review::{KEY_SENTENCES, doubles, is_ours, lacks_conclusion, uncovered, words_of},
    text::{self, Kind, Sentence, Words},
};
use crate::Plan;
use session::PlanStep;
use workflow::{Brief, agent};

/// Steps that a text without lists is broken into, beside the one that brings the results together.
const STEPS_FROM_PROSE: usize = 4;
/// Points that a step is given from the text.
const POINTS: usize = 3;
/// Limits of a [`PlanStep`].
const LONGEST_OUTLINED: usize = 1500;
pub(super) const LONGEST_POINT: usize = 400;
const MOST_POINTS: usize = 12;

const CONCLUSION: &str =
    "Bring the results of the steps before together into one answer to the task.";
const HEED: &str = "Heed: ";

/// Words that call for a program.
const PROGRAM_WORDS: &str = "algorithm calculate calculation code compute implement implementation plot program \
programme python script simulate simulation software statistic";

/// Words that call for a critic, and those that call for a maker all the same.
const CRITIC_WORDS: &str = "criticise criticize criticism critic critique weak weakness flaw";
const MAKER_WORDS: &str = "choose combine improve mend pick propose revise select write";

/// A first plan.
pub(super) fn draft(brief: &Brief) -> Plan {
    let sentences = text::sentences(&brief.task);
    let instructions = text::sentences(&brief.instructions);
    if let Some(mut steps) = outlined(brief, &sentences, &instructions) {
        let wishes = instructions.iter().filter(|sentence| is_wish(sentence));
        heed(&mut steps, wishes.map(|wish| wish.text.as_str()));
        return Plan { steps };
    }
    let most = brief.max_steps.max(1) as usize;
    let concludes = most > 1;
    let units = units(&sentences);
    let per_step = units.len().div_ceil(most - usize::from(concludes)).max(1);
    let mut steps: Vec<PlanStep> = units
        .chunks(per_step)
        .map(|units| step(units, &sentences, &brief.team))
        .collect();
    if steps.is_empty() {
        steps.push(new_step(&brief.task, &brief.team));
    }
    if concludes && steps.len() > 1 {
        steps.push(new_step(CONCLUSION, &brief.team));
    }
    heed(&mut steps, [brief.instructions.as_str()]);
    Plan { steps }
}

/// The plan of the brief, without its doubles, with what it left out, and with what a human asked for.
pub(super) fn revise(brief: &Brief) -> Plan {
    let mut steps = brief.plan.clone();
    while let Some((kept, double)) = doubles(&steps).first().copied() {
        let points = steps.remove(double).bullet_points;
        steps[kept].bullet_points.extend(points);
    }
    for sentence in uncovered(&brief.task, &steps) {
        let nearest = (0..steps.len())
            .filter(|&i| steps[i].sub_task != CONCLUSION)
            .max_by(|&a, &b| {
                let share = |i: usize| text::covered(&sentence.words, &words_of(&steps[i]));
                share(a).total_cmp(&share(b)).then(b.cmp(&a))
            });
        if let Some(step) = nearest.and_then(|i| steps.get_mut(i)) {
            step.bullet_points
                .push(text::clip(&sentence.text, LONGEST_POINT));
        }
    }
    let room = steps.len() < brief.max_steps as usize;
    if lacks_conclusion(&steps) && room {
        steps.push(new_step(CONCLUSION, &brief.team));
    }
    steps.truncate(brief.max_steps.max(1) as usize);
    for step in &mut steps {
        step.bullet_points.truncate(MOST_POINTS);
    }
    let wishes = brief.remarks.iter().map(String::as_str);
    heed(&mut steps, wishes.filter(|remark| !is_ours(remark)));
    Plan { steps }
}

/// The steps that the instructions list for a team that makes ideas; none where it is another team, or nothing is listed.
fn outlined(brief: &Brief, task: &[Sentence], instructions: &[Sentence]) -> Option<Vec<PlanStep>> {
    let items: Vec<&str> = instructions
        .iter()
        .filter(|sentence| sentence.kind == Kind::Item)
        .map(|item| item.text.as_str())
        .collect();
    if items.is_empty() || !has(&brief.team, agent::IDEA_MAKER) {
        return None;
    }
    let per_step = items.len().div_ceil(brief.max_steps.max(1) as usize);
    let joined = items.chunks(per_step).map(|items| items.join(" "));
    let mut steps: Vec<PlanStep> = joined
        .map(|sub_task| PlanStep {
            sub_task: text::clip(&sub_task, LONGEST_OUTLINED),
            ..new_step(&sub_task, &brief.team)
        })
        .collect();
    // The first step has the ideas, so it is the one that needs the subject.
    steps[0].bullet_points = text::key_sentences(task, &Words::new(), KEY_SENTENCES)
        .into_iter()
        .map(|sentence| text::clip(&sentence.text, LONGEST_POINT))
        .collect();
    Some(steps)
}

/// What instructions say beside a list and the words that lead to it.
fn is_wish(sentence: &Sentence) -> bool {
    sentence.kind == Kind::Prose && !sentence.text.ends_with(':')
}

/// What becomes a step: items of lists, else headings, else what the text asks for, else its weightiest sentences.
pub(super) fn units(sentences: &[Sentence]) -> Vec<&Sentence> {
    let outlines: [fn(&Sentence) -> bool; 3] = [
        |sentence| sentence.kind == Kind::Item,
        |sentence| sentence.kind == Kind::Heading,
        Sentence::is_request,
    ];
    for belongs in outlines {
        let units: Vec<_> = sentences
            .iter()
            .filter(|sentence| belongs(sentence))
            .collect();
        if units.len() > 1 {
            return units;
        }
    }
    text::key_sentences(sentences, &Words::new(), STEPS_FROM_PROSE)
}

/// A step for one unit; further ones become its points.
fn step(units: &[&Sentence], sentences: &[Sentence], team: &[String]) -> PlanStep {
    let mut step = new_step(&units[0].text, team);
    let near = text::key_sentences(sentences, &units[0].words, POINTS + units.len());
    step.bullet_points = units[1..]
        .iter()
        .chain(
            near.iter()
                .filter(|near| !units.contains(near))
                .take(POINTS),
        )
        .take(MOST_POINTS)
        .map(|sentence| text::clip(&sentence.text, LONGEST_POINT))
        .collect();
    step
}

/// Whether a text calls for a program.
pub(super) fn wants_program(text: &str) -> bool {
    !text::words(text).is_disjoint(&text::words(PROGRAM_WORDS))
}

fn new_step(sub_task: &str, team: &[String]) -> PlanStep {
    PlanStep {
        sub_task: text::clip(sub_task, LONGEST_POINT),
        sub_task_agent: agent_for(sub_task, team),
        bullet_points: Vec::new(),
    }
}

/// The one of the team that a step's words call for.
fn agent_for(sub_task: &str, team: &[String]) -> String {
    let wanted = match (has(team, agent::IDEA_MAKER), sub_task) {
        (true, text) if criticises(text) => agent::IDEA_HATER,
        (true, _) => agent::IDEA_MAKER,
        (false, text) if wants_program(text) => agent::ENGINEER,
        (false, _) => agent::RESEARCHER,
    };
    if has(team, wanted) {
        wanted.to_owned()
    } else {
        team.first().cloned().unwrap_or(wanted.to_owned())
    }
}

fn has(team: &[String], agent: &str) -> bool {
    team.iter().any(|id| id == agent)
}

/// Whether a step only criticises; one that improves by a critique makes something.
fn criticises(text: &str) -> bool {
    let words = text::words(text);
    !words.is_disjoint(&text::words(CRITIC_WORDS)) && words.is_disjoint(&text::words(MAKER_WORDS))
}

/// Gives the last step the wishes as points, before any other point that it has no room for.
fn heed<'a>(steps: &mut [PlanStep], wishes: impl IntoIterator<Item = &'a str>) {
    let wishes: Vec<String> = wishes
        .into_iter()
        .filter(|wish| !wish.trim().is_empty())
        .take(MOST_POINTS)
        .map(|wish| format!("{HEED}{}", text::clip(wish, LONGEST_POINT)))
        .collect();
    if let Some(last) = steps.last_mut() {
        last.bullet_points.truncate(MOST_POINTS - wishes.len());
        last.bullet_points.extend(wishes);
    }
}
