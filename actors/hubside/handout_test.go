package hubside

import "testing"

// The first image waits for each child, and is given once. A later one is news to who has had one, and answers
// the question of who asks again.
func TestHandoutGivesTheFirstImageOnce(t *testing.T) {
	h := newHandout[int]()
	first, second := 1, 2
	if _, now := h.loaded("a", &first); now {
		t.Error("a child that hasn't started was sent the image")
	}
	if image := h.ask("a", 7); image != &first {
		t.Errorf("asked, and was given %v", image)
	}
	if question, now := h.loaded("a", &second); !now || question != 0 {
		t.Errorf("the second image: sent %v, answers %d", now, question)
	}
	if image := h.ask("a", 8); image != nil {
		t.Errorf("asked again, and was given %v", image)
	}
	if question, now := h.loaded("a", &second); !now || question != 8 {
		t.Errorf("the image that was asked for: sent %v, answers %d", now, question)
	}
}

// An image that isn't true any more is given to nobody: who asks waits for the next one.
func TestHandoutForgetsWhatIsNoLongerTrue(t *testing.T) {
	h := newHandout[int]()
	first, second := 1, 2
	h.loaded("a", &first)
	h.expire()
	if image := h.ask("a", 7); image != nil {
		t.Errorf("was given %v", image)
	}
	if question, now := h.loaded("a", &second); !now || question != 7 {
		t.Errorf("the next image: sent %v, answers %d", now, question)
	}
}
