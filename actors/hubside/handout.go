package hubside

// handout gives what an actor has loaded to its children, each of which asks for it when it starts. The first image
// waits for them, so that a hub's start loads everything once; later ones are loaded when they are asked for,
// since by then a child has gone on from the first.
type handout[Image any] struct {
	children map[string]*claim[Image] // by their ids
}

// claim is what a child is owed.
type claim[Image any] struct {
	question uint64 // it waits for an image since it asked this; 0: it doesn't
	image    *Image // what it hasn't asked for yet; nil: nothing
	started  bool   // it has had one: another one is news to it
}

func newHandout[Image any]() handout[Image] {
	return handout[Image]{children: make(map[string]*claim[Image])}
}

func (h handout[Image]) of(child string) *claim[Image] {
	if h.children[child] == nil {
		h.children[child] = &claim[Image]{}
	}
	return h.children[child]
}

// ask gives a child the image that waits for it; nil: there is none, the next one will answer its question.
func (h handout[Image]) ask(child string, question uint64) *Image {
	c := h.of(child)
	image := c.image
	if image == nil {
		c.question = question
		return nil
	}
	c.image, c.started = nil, true
	return image
}

// loaded tells whether a new image is to be sent to a child now, and which question it answers: 0, none, it is news.
func (h handout[Image]) loaded(child string, image *Image) (question uint64, now bool) {
	c := h.of(child)
	question, c.question = c.question, 0
	if question == 0 && !c.started {
		c.image = image
		return 0, false
	}
	c.started = true
	return question, true
}

// expire drops the images that wait: they aren't true any more.
func (h handout[Image]) expire() {
	for _, c := range h.children {
		c.image = nil
	}
}
