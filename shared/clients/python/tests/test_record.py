"""The rule of `seq`, and the text that is being written."""

import unittest
from typing import Any

from intermission import ApiError, CursorAhead, LiveText, NotFound
from intermission.record import Record
from scripted import SESSION, frame, replay_end


def subscribe(after: int) -> dict[str, Any]:
    return {"type": "subscribe", "session_id": SESSION, "after": after}


class TheRuleOfSeq(unittest.TestCase):
    def setUp(self) -> None:
        self.record = Record(SESSION, 4)
        self.record.reconnected()

    def test_the_next_event_is_applied_and_a_lower_one_dropped(self) -> None:
        self.assertEqual(self.record.take(frame(5)), (frame(5), None))
        self.assertEqual(self.record.take(frame(5)), (None, None))
        self.assertEqual(self.record.take(frame(4)), (None, None))
        self.assertEqual(self.record.last, 5)

    def test_a_gap_is_asked_for_once(self) -> None:
        self.assertEqual(self.record.take(frame(7)), (None, subscribe(4)))
        self.assertEqual(self.record.take(frame(8)), (None, None))
        self.record.take(frame(5))
        self.assertEqual(self.record.take(frame(7)), (None, subscribe(5)))

    def test_a_pong_finds_a_lost_last_event_and_asks_each_time(self) -> None:
        self.assertEqual(self.record.take(frame(None, "pong", last_seq=4)), (None, None))
        self.assertEqual(self.record.take(frame(None, "pong", last_seq=5)), (None, subscribe(4)))
        self.assertEqual(self.record.take(frame(None, "pong", last_seq=5)), (None, subscribe(4)))

    def test_a_connection_whose_subscribe_was_lost_is_found_by_its_pong(self) -> None:
        pong = frame(None, "pong", session=None, last_seq=0)
        self.assertEqual(self.record.take(pong), (None, subscribe(4)))

    def test_a_replay_that_stopped_early_is_continued(self) -> None:
        self.assertEqual(self.record.take(frame(5)), (frame(5), None))
        end = frame(None, "replay_end", last_seq=900, next_after=5, more=True)
        self.assertEqual(self.record.take(end), (None, subscribe(5)))
        self.assertEqual(self.record.take(end), (None, None))

    def test_a_record_of_another_history_is_an_error(self) -> None:
        with self.assertRaises(CursorAhead):
            self.record.take(replay_end(2, cursor_ahead=True))

    def test_what_is_not_of_the_record_is_passed_over(self) -> None:
        gateway = {"message": "Internal server error", "connectionId": "L0SM=", "requestId": "L0SN="}
        for other in (gateway, frame(None, "workflow_state_changed"), frame(5, session="another")):
            self.assertEqual(self.record.take(other), (None, None))
        self.assertEqual(self.record.last, 4)

    def test_live_text_is_handed_on_and_counts_nothing(self) -> None:
        delta = frame(None, "agent_message_delta", message_id="m", agent="a", node_id=None, offset=0, text="Hi")
        self.assertEqual(self.record.take(delta), (delta, None))
        self.assertEqual(self.record.last, 4)

    def test_an_error_frame_is_an_error_with_its_code(self) -> None:
        with self.assertRaises(NotFound) as raised:
            self.record.take(frame(None, "error", code="session_not_found", message="No such session."))
        self.assertEqual((raised.exception.code, str(raised.exception)), ("session_not_found", "No such session."))
        with self.assertRaises(ApiError):
            self.record.take(frame(None, "error", code="unknown_frame", message="?"))

    def test_a_recorded_error_is_an_event(self) -> None:
        failed = frame(5, "error", code="model_unavailable", message="The model is away.")
        self.assertEqual(self.record.take(failed), (failed, None))


class LiveTexts(unittest.TestCase):
    def setUp(self) -> None:
        self.live = LiveText()

    def delta(self, offset: int, text: str, message_id: str = "m") -> bool:
        return self.live.take(
            frame(None, "agent_message_delta", message_id=message_id, agent="a", node_id="n", offset=offset, text=text)
        )

    def test_pieces_are_put_together_and_one_that_comes_twice_is_dropped(self) -> None:
        self.assertTrue(self.delta(0, "The "))
        self.assertTrue(self.delta(4, "tides"))
        self.assertFalse(self.delta(0, "The "))
        self.assertEqual(self.live.text, "The tides")

    def test_offsets_count_characters_also_beyond_the_basic_plane(self) -> None:
        self.delta(0, "🌊🌕")
        self.delta(2, " rise")
        self.assertEqual(self.live.text, "🌊🌕 rise")

    def test_after_a_lost_piece_the_text_waits_for_the_message(self) -> None:
        self.delta(0, "The ")
        self.assertFalse(self.delta(9, " rise"))
        self.assertEqual(self.live.text, "The ")
        message = frame(9, "agent_message", message_id="m", agent="a", role="assistant", message="The tides rise")
        self.assertTrue(self.live.take(message))
        self.assertEqual(self.live.text, "The tides rise")

    def test_a_new_message_drops_the_text_before_it(self) -> None:
        self.delta(0, "A first attempt")
        self.delta(0, "Once", "another")
        self.assertEqual((self.live.message_id, self.live.text), ("another", "Once"))

    def test_other_events_change_nothing(self) -> None:
        self.assertFalse(self.live.take(frame(1)))
        self.assertFalse(self.live.take(frame(2, "agent_message", agent="a", role="assistant", message="old")))


if __name__ == "__main__":
    unittest.main()
