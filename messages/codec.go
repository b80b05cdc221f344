package messages

import "fmt"

// FrameCodec is the gRPC codec of the link, on both sides: a message is a frame's bytes as they are, a *[]byte.
// So nothing that the other side sends is decoded before its size and depth were looked at.
type FrameCodec struct{}

// Name tells the codec from gRPC's own.
func (FrameCodec) Name() string { return "truechimer-frame" }

// Marshal takes a *[]byte.
func (FrameCodec) Marshal(v any) ([]byte, error) {
	frame, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("send a frame: %T isn't one", v)
	}
	return *frame, nil
}

// Unmarshal fills a *[]byte, whose memory it uses again.
func (FrameCodec) Unmarshal(frame []byte, v any) error {
	into, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("receive a frame: %T isn't one", v)
	}
	*into = append((*into)[:0], frame...)
	return nil
}
