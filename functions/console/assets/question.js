/** The open question: large, with its options, what is to be decided on, and the words of the answer. */

import { client, sentence } from "./api.js";
import { button, field, h, replace, toast, trouble } from "./dom.js";
import { fullTime, words } from "./format.js";
import { draw } from "./markdown.js";

const NEGATIVE = ["reject", "abort", "deny", "exit"];
const LABELS = { copilot_turn: { submit: "Send", continue: "Go on with this task", done: "Finish", exit: "Leave" }, clarification: { submit: "Answer" } };
const HEADS = { during_planning: "Approve the plan", before_step: "Before a step", after_step: "After a step", on_error: "A step failed", after_ideas: "Choose an idea", clarification: "A question to you", proposal: "A proposal", copilot_turn: "Your turn", budget: "The budget is reached", agent_question: "An agent asks" };
/** Options that mean nothing without words. */
const WORDY = ["revise", "submit", "custom"];

/** The panel; `team` are the agents of the plan. */
export function panel(sessionId, question, team) {
  const { checkpoint_type: kind, options, context } = question;
  const asksText = context?.requires_text_input === true;
  const text = h("textarea", { rows: asksText ? 4 : 2, maxLength: 32768 });
  const notes = h("div");
  const editor = options.includes("modify") ? planEditor(context?.plan ?? [], team) : null;
  const plan = Array.isArray(context?.plan) ? h("div", null, planOf(context.plan)) : null;
  const root = h("section", { className: "question", "aria-labelledby": "question-title" });

  const label = (option) => LABELS[kind]?.[option] ?? ideaLabel(option) ?? words(option);
  const ideaLabel = (option) => (option.startsWith("option_") ? `Choose ${option.slice(7)}` : null);

  async function answer(option, modifications) {
    const feedback = text.value.trim() || undefined;
    if (WORDY.includes(option) && !feedback) {
      replace(notes, trouble(`“${label(option)}” needs your words.`));
      return text.focus();
    }
    const controls = root.querySelectorAll("button, textarea, select");
    for (const control of controls) control.disabled = true;
    try {
      await client.answer(sessionId, question.approval_id, option, { feedback, modifications });
      root.classList.add("answered");
      toast(`Answered: ${label(option).toLowerCase()}.`);
    } catch (error) {
      for (const control of controls) control.disabled = false;
      replace(notes, trouble(sentence(error)));
    }
  }

  function edit() {
    replace(plan, editor.element);
    replace(actions, button("Keep the plan as it was", restore, "quiet"), button("Use this plan", () => {
      const changed = editor.value();
      if (changed) answer("modify", { plan: changed });
      else replace(notes, trouble("Each step needs a task, and the plan a step."));
    }, "primary"));
    editor.focus();
  }

  function restore() {
    replace(plan, planOf(context.plan));
    replace(actions, offered());
    replace(notes);
    actions.querySelector("button")?.focus();
  }

  const ideas = (context?.ideas ?? []).length > 0;
  const offered = () => options.filter((option) => option !== "edit" && !(ideas && option.startsWith("option_"))).map((option, at) => {
    if (option === "modify") return editor && plan ? button("Edit the plan", edit, "") : null;
    const positive = at === 0 && !NEGATIVE.includes(option);
    return button(label(option), () => answer(option), positive ? "primary" : NEGATIVE.includes(option) ? "quiet no" : "");
  });
  const actions = h("div", { className: "actions" });
  replace(actions, offered());

  return replace(
    root,
    h("p", { className: "kicker" }, h("span", { className: "mark", "aria-hidden": "true" }), HEADS[kind] ?? words(kind)),
    h("h2", { id: "question-title", tabIndex: -1 }, question.message),
    details(context, plan, (option) => answer(option)),
    field(asksText ? "Your answer" : options.includes("custom") ? "Your own idea" : "Feedback, if you like", text),
    notes,
    actions,
    h("p", { className: "help" }, `Nothing runs while it waits. Open until ${fullTime(question.expires_at)}.`),
  );
}

/** What the question is about. */
function details(context, plan, choose) {
  if (!context) return null;
  const { step, summary, error, answer, ideas, arguments: input, tool_name: tool } = context;
  return [
    plan,
    step && h("div", { className: "about" }, stepOf(step)),
    error && h("div", { className: "trouble" }, h("p", null, error)),
    summary && h("div", { className: "about prose" }, draw(summary, h)),
    answer && h("details", { className: "about" }, h("summary", null, "The answer of this turn"), h("div", { className: "prose" }, draw(answer, h))),
    tool && h("p", null, h("code", null, tool)),
    input && h("pre", { tabIndex: 0, "aria-label": "Arguments", role: "group" }, JSON.stringify(input, null, 2)),
    ideas?.length > 0 && h("ol", { className: "ideas" }, ideas.map(({ option, idea }) => h("li", null, h("div", { className: "prose" }, draw(idea, h)), button(`Choose ${option.replace("option_", "")}`, () => choose(option), "small")))),
  ];
}

const stepOf = ({ sub_task, sub_task_agent, bullet_points }) => [
  h("p", { className: "task" }, sub_task, h("span", { className: "by-agent" }, words(sub_task_agent))),
  bullet_points?.length > 0 && h("ul", null, bullet_points.map((point) => h("li", null, point))),
];

/** A plan to read. */
export function planOf(plan) {
  return h("ol", { className: "plan" }, plan.map((step) => h("li", null, stepOf(step))));
}

/** A plan to change: steps are edited, moved, removed and added. */
function planEditor(plan, team) {
  const agents = [...new Set([...plan.map((step) => step.sub_task_agent), ...team])];
  const steps = h("ol", { className: "plan edited" });
  const said = h("p", { role: "status", className: "help" });
  const number = () => [...steps.children].forEach((item, at) => {
    item.querySelector("legend").textContent = `Step ${at + 1}`;
    item.querySelector(".up").disabled = at === 0;
    item.querySelector(".down").disabled = at === steps.children.length - 1;
  });
  const add = (step) => {
    const task = h("textarea", { rows: 2, className: "sub-task", value: step.sub_task });
    const agent = h("select", null, agents.map((id) => h("option", { value: id, selected: id === step.sub_task_agent }, words(id))));
    const points = h("textarea", { rows: 2, className: "points", value: (step.bullet_points ?? []).join("\n") });
    const move = (by) => {
      const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
      if (!other) return;
      if (by < 0) other.before(item);
      else other.after(item);
      number();
      const at = [...steps.children].indexOf(item) + 1;
      said.textContent = `Now step ${at} of ${steps.children.length}.`;
      const again = item.querySelector(by < 0 ? ".up" : ".down");
      (again.disabled ? item.querySelector(by < 0 ? ".down" : ".up") : again).focus();
    };
    const remove = () => {
      const next = item.nextElementSibling ?? item.previousElementSibling;
      item.remove();
      number();
      said.textContent = "Step removed.";
      (next?.querySelector("textarea") ?? more).focus();
    };
    const item = h("li", null, h("fieldset", null,
      h("legend"),
      field("Task", task), field("Agent", agent), field("Notes, one a line", points),
      h("div", { className: "actions" }, button("Up", () => move(-1), "quiet small up"), button("Down", () => move(1), "quiet small down"), button("Remove", remove, "quiet small no"))));
    item.step = () => ({ sub_task: task.value.trim(), sub_task_agent: agent.value, bullet_points: points.value.split("\n").map((point) => point.trim()).filter(Boolean) });
    steps.append(item);
    number();
    return task;
  };
  plan.forEach(add);
  const more = button("Add a step", () => add({ sub_task: "", sub_task_agent: agents[0] }).focus(), "small");
  return {
    element: h("div", null, steps, more, said),
    focus: () => steps.querySelector("textarea")?.focus(),
    value: () => {
      const value = [...steps.children].map((item) => item.step());
      return value.length && value.every((step) => step.sub_task) ? value : null;
    },
  };
}
